/* empty_loop: reads a capture with libpcap and does nothing with it; the unit that the other figures are given in. */
#include <err.h>
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    char message[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const u_char *frame;
    uint64_t packets = 0, bytes = 0;

    if (argc != 2)
        errx(2, "usage: empty_loop FILE");
    pcap_t *pcap = pcap_open_offline(argv[1], message);
    if (!pcap)
        errx(2, "%s", message);
    while (pcap_next_ex(pcap, &header, &frame) == 1) {
        packets++;
        bytes += header->caplen;
    }
    pcap_close(pcap);
    printf("%llu packets, %llu bytes\n", (unsigned long long)packets, (unsigned long long)bytes);
    return 0;
}
