/* A second opinion: libnids reassembles every clean capture of the golden cases, and the bytes that it delivers of each connection must be those
 * that flow/ hands to the application layer. Clean: plain pcap, Ethernet, IPv4 with its length told, the handshake seen, no byte missing.
 *
 * libnids is one for a process and keeps what it has seen; so each capture is read by a child of its own, before dissect/ uses libnids
 * for fragments in this process.
 */
#include "capture/capture.h"
#include "dissect/dissector.h"
#include "flow/flow.h"
#include "flow/tracker.h"
#include "stub_app.h"

#include <arpa/inet.h>
#include <glob.h>
#include <nids.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define CAPTURES "tests/pcaps/*/input.pcap"

/* One connection, as either of them saw it. */
struct connection {
    uint8_t addr[2][4];
    uint16_t port[2];
    GByteArray *sent[2]; /* by each side */
    bool matched, reset;
};

static void connection_free(gpointer p)
{
    struct connection *c = p;

    for (int s = CLIENT; s <= SERVER; s++)
        g_byte_array_free(c->sent[s], TRUE);
    g_free(c);
}

static struct connection *connection_new(void)
{
    struct connection *c = g_new0(struct connection, 1);

    c->sent[CLIENT] = g_byte_array_new();
    c->sent[SERVER] = g_byte_array_new();
    return c;
}

/* --- libnids, in a child --- */

static GPtrArray *nids_seen; /* libnids gives its callbacks no context */

static void nids_tcp(struct tcp_stream *t, void **user)
{
    struct connection *c;

    if (t->nids_state == NIDS_JUST_EST) {
        c = connection_new();
        memcpy(c->addr[CLIENT], &t->addr.saddr, 4);
        memcpy(c->addr[SERVER], &t->addr.daddr, 4);
        c->port[CLIENT] = t->addr.source;
        c->port[SERVER] = t->addr.dest;
        t->client.collect++;
        t->server.collect++;
        g_ptr_array_add(nids_seen, c);
        *user = c;
    } else if (t->nids_state == NIDS_DATA) {
        c = *user;
        g_byte_array_append(c->sent[SERVER], (const guint8 *)t->client.data, (guint)t->client.count_new);
        g_byte_array_append(c->sent[CLIENT], (const guint8 *)t->server.data, (guint)t->server.count_new);
    }
}

static void nids_quiet(int type, int error, void *ip, void *data)
{
    (void)type, (void)error, (void)ip, (void)data;
}

/* Everything that libnids delivers of a capture, as flat bytes into out; the child's exit status. */
static int nids_child(char *path, FILE *out)
{
    struct nids_chksum_ctl everywhere = { .action = NIDS_DONT_CHKSUM };

    nids_seen = g_ptr_array_new();
    nids_params.filename = path;
    nids_params.device = NULL;
    nids_params.scan_num_hosts = 0;
    nids_params.syslog = nids_quiet;
    if (!nids_init())
        return 1;
    nids_register_chksum_ctl(&everywhere, 1);
    nids_register_tcp((void *)nids_tcp);
    nids_run();
    for (guint i = 0; i < nids_seen->len; i++) {
        const struct connection *c = g_ptr_array_index(nids_seen, i);
        fwrite(c->addr, sizeof c->addr, 1, out);
        fwrite(c->port, sizeof c->port, 1, out);
        for (int s = CLIENT; s <= SERVER; s++) {
            fwrite(&c->sent[s]->len, sizeof c->sent[s]->len, 1, out);
            if (c->sent[s]->len)
                fwrite(c->sent[s]->data, c->sent[s]->len, 1, out);
        }
    }
    return fflush(out) == 0 ? 0 : 1;
}

static bool read_bytes(FILE *in, GByteArray *out)
{
    guint n;

    if (fread(&n, sizeof n, 1, in) != 1)
        return false;
    g_byte_array_set_size(out, n);
    return n == 0 || fread(out->data, n, 1, in) == 1;
}

/* struct connection*, in the order in which they were established; NULL where libnids could not read the file. */
static GPtrArray *by_nids(char *path)
{
    FILE *file = tmpfile();
    int status;

    assert_non_null(file);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(nids_child(path, file));
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        fail_msg("%s: libnids died", path);
    GPtrArray *all = WEXITSTATUS(status) == 0 ? g_ptr_array_new_with_free_func(connection_free) : NULL;
    rewind(file);
    while (all) {
        struct connection *c = connection_new();
        bool whole = fread(c->addr, sizeof c->addr, 1, file) == 1 && fread(c->port, sizeof c->port, 1, file) == 1 &&
                     read_bytes(file, c->sent[CLIENT]) && read_bytes(file, c->sent[SERVER]);
        if (!whole) {
            connection_free(c);
            break;
        }
        g_ptr_array_add(all, c);
    }
    fclose(file);
    return all;
}

/* --- ours --- */

static bool clean(const struct flow *f)
{
    const struct app *a = (const struct app *)f->app;

    if (f->key.version != 4 || f->encap || flow_handshake(f) != HANDSHAKE_COMPLETE)
        return false;
    if (flow_anomalies(f, CLIENT)->acked_unseen || flow_anomalies(f, SERVER)->acked_unseen)
        return false;
    return !a || (a->streams[CLIENT].gaps->len == 0 && a->streams[SERVER].gaps->len == 0);
}

static void on_flow(void *user, struct flow *f)
{
    GPtrArray *all = user;
    const struct app *a = (const struct app *)f->app;

    if (clean(f)) {
        struct connection *c = connection_new();
        c->reset = f->reset.packet != 0;
        for (int s = CLIENT; s <= SERVER; s++) {
            memcpy(c->addr[s], flow_addr(f, (enum side)s)->bytes + 12, 4);
            c->port[s] = flow_port(f, (enum side)s);
            if (a)
                g_byte_array_append(c->sent[s], a->streams[s].bytes->data, a->streams[s].bytes->len);
        }
        g_ptr_array_add(all, c);
    }
    flow_free(f);
}

static void on_lookup(void *user, struct lookup *l)
{
    (void)user;
    lookup_free(l);
}

/* An IPv4 packet whose length field is 0, as segmentation offload leaves it: libnids does not take it. */
static bool without_length(const struct frame *f)
{
    static const uint8_t ipv4[] = { 0x08, 0x00 }, zero[2];
    return f->caplen >= 18 && memcmp(f->bytes + 12, ipv4, 2) == 0 && memcmp(f->bytes + 16, zero, 2) == 0;
}

static bool plain_ethernet(const struct capture *c)
{
    const struct capture_info *info = capture_info(c);
    return !info->truncated && info->dlts->len == 1 && g_array_index(info->dlts, int, 0) == DLT_EN10MB;
}

/* struct connection* of the clean flows, in order of their first packets; NULL where the capture is of another kind. */
static GPtrArray *by_flow(const char *path)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(connection_free);
    struct tracker_hooks hooks = { .flow = on_flow, .lookup = on_lookup, .user = all };
    struct capture *c = capture_open_files(&path, 1, NULL, NULL);
    struct dissector *d = dissector_new();
    struct tracker *t = tracker_new(&hooks, 0);
    struct packet packet;
    struct frame frame;
    bool offload = false;

    while (c && capture_next(c, &frame, NULL) == CAPTURE_FRAME) {
        dissector_frame(d, &frame, &packet);
        tracker_packet(t, &packet);
        offload |= without_length(&frame);
    }
    tracker_finish(t);
    if (!c || offload || !plain_ethernet(c)) {
        g_ptr_array_free(all, TRUE);
        all = NULL;
    }
    tracker_free(t);
    dissector_free(d);
    capture_free(c);
    return all;
}

/* --- comparing --- */

static struct connection *same_ends(GPtrArray *all, const struct connection *c)
{
    for (guint i = 0; i < all->len; i++) {
        struct connection *other = g_ptr_array_index(all, i);
        if (!other->matched && memcmp(other->addr, c->addr, sizeof c->addr) == 0 && memcmp(other->port, c->port, sizeof c->port) == 0) {
            other->matched = true;
            return other;
        }
    }
    return NULL;
}

static unsigned differences(const char *path, const struct connection *mine, const struct connection *theirs)
{
    unsigned wrong = 0;

    if (!theirs) {
        print_error("%s: libnids does not know port %u\n", path, mine->port[CLIENT]);
        return 1;
    }
    for (int s = CLIENT; s <= SERVER; s++) {
        const GByteArray *a = mine->sent[s], *b = theirs->sent[s];
        bool length = a->len == b->len || (mine->reset && a->len > b->len); /* libnids stops at a RST, packets on the way do not */
        if (length && (b->len == 0 || memcmp(a->data, b->data, b->len) == 0))
            continue;
        print_error("%s: port %u, sent by the %s: %u bytes here, %u by libnids\n", path, mine->port[CLIENT], side_name((enum side)s), a->len, b->len);
        wrong++;
    }
    return wrong;
}

static void test_same_bytes(void **state)
{
    (void)state;
    unsigned captures = 0, connections = 0, bytes = 0, wrong = 0;
    glob_t files;

    assert_int_equal(glob(CAPTURES, 0, NULL, &files), 0);
    GPtrArray **theirs = g_new0(GPtrArray *, files.gl_pathc);
    for (size_t i = 0; i < files.gl_pathc; i++)
        theirs[i] = by_nids(files.gl_pathv[i]);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        GPtrArray *mine = theirs[i] ? by_flow(files.gl_pathv[i]) : NULL;
        captures += mine && mine->len;
        for (guint k = 0; mine && k < mine->len; k++) {
            const struct connection *c = g_ptr_array_index(mine, k);
            wrong += differences(files.gl_pathv[i], c, same_ends(theirs[i], c));
            bytes += c->sent[CLIENT]->len + c->sent[SERVER]->len;
            connections++;
        }
        if (mine)
            g_ptr_array_free(mine, TRUE);
        if (theirs[i])
            g_ptr_array_free(theirs[i], TRUE);
    }
    print_message("# compared with libnids: %u connections of %u captures, %u bytes\n", connections, captures, bytes);
    g_free(theirs);
    globfree(&files);
    assert_int_equal(wrong, 0);
    assert_true(captures > 0 && bytes > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_same_bytes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
