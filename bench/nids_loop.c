/* nids_loop: follows the TCP streams of a capture with libnids and only counts their bytes: what reassembly alone
 * costs. Checksums are not verified, port scans not looked for. */
#include <err.h>
#include <nids.h>
#include <stdint.h>
#include <stdio.h>

/* libnids follows three quarters of this many at a time, and has no place for a context in its callbacks. */
#define STREAMS 131072

static struct {
    uint64_t streams, bytes;
} seen;

static void take(struct tcp_stream *stream, void **unused)
{
    (void)unused;
    if (stream->nids_state == NIDS_JUST_EST) {
        seen.streams++;
        stream->client.collect++;
        stream->server.collect++;
    } else if (stream->nids_state == NIDS_DATA) {
        seen.bytes += (uint64_t)(stream->client.count_new + stream->server.count_new);
    }
}

static void keep_quiet(int type, int error, void *ip, void *data)
{
    (void)type, (void)error, (void)ip, (void)data;
}

int main(int argc, char **argv)
{
    struct nids_chksum_ctl everywhere = { .action = NIDS_DONT_CHKSUM };

    if (argc != 2)
        errx(2, "usage: nids_loop FILE");
    nids_params.filename = argv[1];
    nids_params.device = NULL;
    nids_params.n_tcp_streams = STREAMS;
    nids_params.scan_num_hosts = 0;
    nids_params.multiproc = 0;
    nids_params.syslog = keep_quiet;
    if (!nids_init())
        errx(2, "%s", nids_errbuf);
    nids_register_chksum_ctl(&everywhere, 1);
    nids_register_tcp(take);
    nids_run();
    nids_exit();
    printf("%llu streams, %llu bytes\n", (unsigned long long)seen.streams, (unsigned long long)seen.bytes);
    return 0;
}
