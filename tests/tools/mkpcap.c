/* mkpcap: compiles a packet script into a capture, the same bytes on every run. The language: tests/pcaps/README.md.
 *
 *     mkpcap SCRIPT OUTPUT     write the capture
 *     mkpcap --server SCRIPT OUTPUT    of a script with two ends (`ends`) the capture at the server's end; else it is the client's
 *     mkpcap --name SCRIPT     print what a test case calls it: input.pcap, input.pcapng.gz ...; of one with two ends, both
 */
#include "tests/tools/mkpcap_line.h"
#include "tests/tools/mkpcap_neighbor.h"
#include "tests/tools/mkpcap_udp.h"

static void run_block(struct script *s, unsigned from, unsigned to);

/* --- header lines --- */

static void set_start(struct script *s, struct line *l)
{
    const char *text = word(l, "the time of the start");
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_auto(GStrv) parts = g_strsplit_set(text, ".Z", 3);
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(parts[0], utc);
    if (!time || text[strlen(text) - 1] != 'Z')
        fail(l, "'%s' is not a time such as 2024-01-31T12:00:00.5Z", text);
    g_autofree char *fraction = g_strconcat("0.", parts[1], NULL);
    s->out.start_ns = g_date_time_to_unix(time) * NS_PER_S + (strchr(text, '.') ? to_duration(l, fraction) : 0);
}

static void set_precision(struct line *l, struct interface *i)
{
    const char *text = word(l, "the precision");
    i->nanoseconds = strcmp(text, "ns") == 0;
    if (!i->nanoseconds && strcmp(text, "us") != 0)
        fail(l, "the precision is us or ns");
}

static void set_format(struct script *s, struct line *l)
{
    const char *text = word(l, "the format");
    s->out.pcapng = strcmp(text, "pcapng") == 0;
    if (!s->out.pcapng && strcmp(text, "pcap") != 0)
        fail(l, "the format is pcap or pcapng");
}

static void set_compression(struct script *s, struct line *l)
{
    const char *text = word(l, "the compression");
    s->out.compression = strcmp(text, "gz") == 0 ? GZIP : strcmp(text, "zst") == 0 ? ZSTD : PLAIN;
    if (s->out.compression == PLAIN)
        fail(l, "the compression is gz or zst");
}

/* `interface eth0 link ethernet precision ns snaplen 96`: the next of a pcapng file. */
static void add_interface(struct script *s, struct line *l)
{
    if (s->out.n_interfaces == MAX_INTERFACES)
        fail(l, "more than %d interfaces", MAX_INTERFACES);
    if (!s->out.pcapng)
        fail(l, "only pcapng files tell interfaces apart: write `format pcapng` first");
    struct interface *i = &s->out.interface[s->out.n_interfaces++];
    g_strlcpy(i->name, word(l, "the interface's name"), sizeof i->name);
    while (peek(l)) {
        if (take(l, "link"))
            i->link = to_link(l, word(l, "the link type"));
        else if (take(l, "precision"))
            set_precision(l, i);
        else if (take(l, "snaplen"))
            i->snaplen = number(l, "the snaplen", 262144);
        else
            fail(l, "do not know what to do with '%s'", peek(l)->text);
    }
}

static void set_byteorder(struct script *s, struct line *l)
{
    s->out.big_endian = take(l, "big");
    if (!s->out.big_endian)
        expect(l, "little");
}

static bool header_line(struct script *s, struct line *l)
{
    struct interface *first = &s->out.interface[0];
    if (take(l, "link"))
        first->link = to_link(l, word(l, "the link type"));
    else if (take(l, "precision"))
        set_precision(l, first);
    else if (take(l, "snaplen"))
        first->snaplen = number(l, "the snaplen", 262144);
    else if (take(l, "format"))
        set_format(s, l);
    else if (take(l, "byteorder"))
        set_byteorder(s, l);
    else if (take(l, "compress"))
        set_compression(s, l);
    else if (take(l, "start"))
        set_start(s, l);
    else if (take(l, "interface"))
        add_interface(s, l);
    else if (take(l, "ends"))
        ends_line(s, l);
    else if (take(l, "order"))
        s->out.script_order = take(l, "script");
    else
        return false;
    if (s->began)
        fail(l, "this belongs before the first packet");
    return true;
}

/* --- packet lines --- */

static void run_text(struct script *s, const struct line *at, const char *text);

/* `handshake A`: SYN, SYN-ACK, ACK, spaced as the capture's place and the round trip want it. */
static void handshake(struct script *s, struct line *l)
{
    const struct flow *f = flow_named(s, l);
    int64_t there = f->near == CLIENT ? f->rtt_ns : 50 * NS_PER_US, back = f->near == CLIENT ? 50 * NS_PER_US : f->rtt_ns;
    if (s->ends.on)
        there = back = s->ends.delay_ns + 50 * NS_PER_US; /* when each is sent */
    g_autofree char *answer = g_strdup_printf("+%" G_GINT64_FORMAT "ns %s < S.", there, f->name);
    g_autofree char *ack = g_strdup_printf("+%" G_GINT64_FORMAT "ns %s > .", back, f->name);
    g_autofree char *syn = g_strdup_printf("+0 %s > S", f->name);
    expect_end(l);
    run_text(s, l, syn);
    run_text(s, l, answer);
    run_text(s, l, ack);
}

/* `close A >`: FIN of that side, FIN of the other, last ACK. */
static void close_flow(struct script *s, struct line *l)
{
    const struct flow *f = flow_named(s, l);
    enum side first = peek(l) ? sender(l) : CLIENT;
    bool here = f->near == first;
    int64_t there = here ? f->rtt_ns : 50 * NS_PER_US, back = here ? 50 * NS_PER_US : f->rtt_ns;
    if (s->ends.on)
        there = back = s->ends.delay_ns + 50 * NS_PER_US;
    const char *one = first == CLIENT ? ">" : "<", *two = first == CLIENT ? "<" : ">";
    g_autofree char *fin = g_strdup_printf("+0 %s %s F.", f->name, one);
    g_autofree char *answer = g_strdup_printf("+%" G_GINT64_FORMAT "ns %s %s F.", there, f->name, two);
    g_autofree char *ack = g_strdup_printf("+%" G_GINT64_FORMAT "ns %s %s .", back, f->name, one);
    expect_end(l);
    run_text(s, l, fin);
    run_text(s, l, answer);
    run_text(s, l, ack);
}

/* `raw hex ...`: the bytes of a frame, link header included. */
static void raw_line(struct script *s, struct line *l)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    struct dress d = s->standard.dress;
    while (read_payload_part(s, l, bytes))
        ;
    while (peek(l) && read_dress(l, &d))
        ;
    expect_end(l);
    if (d.interface >= MAX(1, s->out.n_interfaces))
        fail(l, "there is no interface %u", d.interface);
    capture_file_add(&s->out, s->now_ns, d.interface, bytes, d.cut);
}

static void flow_line(struct script *s, struct line *l)
{
    struct flow *f = flow_named(s, l);
    enum side from = sender(l);
    if (f->protocol == PROTO_TCP)
        tcp_line(s, l, f, from);
    else
        udp_line(s, l, f, from);
}

static void packet_line(struct script *s, struct line *l)
{
    const char *time = word(l, "the time");
    s->began = true;
    s->now_ns = *time == '+' ? s->now_ns + to_duration(l, time + 1) : to_duration(l, time);
    if (!peek(l))
        return; /* time passes */
    if (take(l, "handshake"))
        handshake(s, l);
    else if (take(l, "close"))
        close_flow(s, l);
    else if (take(l, "icmp"))
        icmp_line(s, l);
    else if (take(l, "arp"))
        arp_line(s, l);
    else if (take(l, "nd"))
        nd_line(s, l);
    else if (take(l, "raw"))
        raw_line(s, l);
    else
        flow_line(s, l);
}

static void run_line(struct script *s, struct line *l)
{
    const char *first = next_word(l);
    if (!first)
        fail(l, "a line begins with a word or a time");
    if (*first == '+' || g_ascii_isdigit(*first))
        packet_line(s, l);
    else if (take(l, "flow"))
        declare_flow(s, l, PROTO_TCP);
    else if (take(l, "udp"))
        declare_flow(s, l, PROTO_UDP);
    else if (take(l, "default"))
        read_flow_attributes(l, &s->standard);
    else if (!header_line(s, l))
        fail(l, "unknown word '%s'", first);
    expect_end(l);
}

/* One line, made by a macro on behalf of the line `at`. */
static void run_text(struct script *s, const struct line *at, const char *text)
{
    struct line l = { .file = at->file, .number = at->number };
    line_split(&l, text);
    run_line(s, &l);
    g_free(l.pool);
}

/* --- blocks --- */

static bool is_comment(const char *text)
{
    text += strspn(text, " \t\r");
    return *text == '#' || !*text;
}

/* The index of the line with the } that ends the block whose { is at `open`. */
static unsigned block_end(const struct script *s, const struct line *l, unsigned open, unsigned to)
{
    unsigned depth = 1;
    for (unsigned i = open + 1; i < to; i++) {
        g_autofree char *text = g_strdup(is_comment(s->lines[i]) ? "" : s->lines[i]);
        g_strstrip(text);
        depth += g_str_has_suffix(text, "{");
        if (strcmp(text, "}") == 0 && --depth == 0)
            return i;
    }
    fail(l, "this block has no }");
}

/* `repeat COUNT [NAME] {`: NAME, i unless given, counts from 0. Returns the index of the closing line. */
static unsigned repeat(struct script *s, struct line *l, unsigned open, unsigned to)
{
    uint32_t count = number(l, "how many times", 10000000);
    const char *next = next_word(l);
    g_autofree char *name = g_strdup(next && strcmp(next, "{") != 0 ? word(l, "the counter") : "i");
    expect(l, "{");
    expect_end(l);
    unsigned end = block_end(s, l, open, to);
    if (s->counters.n == LINE_COUNTERS)
        fail(l, "more than %d blocks in each other", LINE_COUNTERS);
    unsigned mine = s->counters.n++;
    s->counters.at[mine].name = name;
    for (uint32_t i = 0; i < count; i++) {
        s->counters.at[mine].value = i;
        run_block(s, open + 1, end);
    }
    s->counters.n--;
    return end;
}

/* Lines [from, to). */
static void run_block(struct script *s, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        if (is_comment(s->lines[i]))
            continue;
        struct line l = { .file = s->path, .number = i + 1 };
        g_autofree char *text = counters_expand(&l, &s->counters, s->lines[i]);
        line_split(&l, text);
        if (take(&l, "repeat"))
            i = repeat(s, &l, i, to);
        else if (peek(&l))
            run_line(s, &l);
        g_free(l.pool);
    }
}

/* --- the program --- */

static bool script_load(struct script *s, const char *path, GError **error)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, error))
        return false;
    s->path = path;
    s->folder = g_path_get_dirname(path);
    s->lines = g_strsplit(text, "\n", -1);
    s->flows = g_ptr_array_new_with_free_func(flow_free);
    capture_file_init(&s->out);
    flow_standard(&s->standard);
    return true;
}

static void script_clear(struct script *s)
{
    g_free(s->folder);
    g_strfreev(s->lines);
    if (s->flows)
        g_ptr_array_unref(s->flows);
    if (s->out.frames)
        g_array_unref(s->out.frames);
}

static int complain(GError *error)
{
    fprintf(stderr, "mkpcap: %s\n", error->message);
    g_error_free(error);
    return 1;
}

/* --name: a line for each capture. */
static void print_names(const struct script *s)
{
    char name[32];

    capture_file_name(&s->out, name);
    puts(name);
    if (s->ends.on)
        printf("input-server%s\n", name + strlen("input"));
}

int main(int argc, char **argv)
{
    bool name_only = argc == 3 && strcmp(argv[1], "--name") == 0, server = argc == 4 && strcmp(argv[1], "--server") == 0;
    if (argc != 3 && !server) {
        fprintf(stderr, "usage: mkpcap [--server] SCRIPT OUTPUT\n       mkpcap --name SCRIPT\n");
        return 2;
    }
    struct script s = { .ends.here = server ? SERVER : CLIENT };
    GError *error = NULL;
    int status = 0;
    if (!script_load(&s, argv[name_only || server ? 2 : 1], &error)) {
        status = complain(error);
    } else {
        run_block(&s, 0, g_strv_length(s.lines));
        if (name_only)
            print_names(&s);
        else if (!capture_file_write(&s.out, argv[argc - 1], &error))
            status = complain(error);
    }
    script_clear(&s);
    return status;
}
