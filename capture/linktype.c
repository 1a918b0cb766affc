#include "capture/linktype.h"

#include "capture/capture.h"

#include <pcap/pcap.h>
#include <stdio.h>

/* Those that differ (pcap-linktype(7); https://www.tcpdump.org/linktypes.html). All others are the same number. */
static const struct {
    uint16_t linktype;
    int dlt;
} differing[] = {
    { 100, DLT_ATM_RFC1483 }, { 101, DLT_RAW },    { 102, DLT_SLIP_BSDOS }, { 103, DLT_PPP_BSDOS },
    { 106, DLT_ATM_CLIP },    { 246, DLT_PFSYNC }, { 258, DLT_PKTAP },
};

int linktype_as_dlt(uint16_t linktype)
{
    for (size_t i = 0; i < G_N_ELEMENTS(differing); i++) {
        if (differing[i].linktype == linktype)
            return differing[i].dlt;
    }
    return linktype;
}

int linktype_of_dlt(int dlt)
{
    for (size_t i = 0; i < G_N_ELEMENTS(differing); i++) {
        if (differing[i].dlt == dlt)
            return differing[i].linktype;
    }
    return dlt >= 0 && dlt <= UINT16_MAX ? dlt : -1;
}

const char *capture_dlt_name(int dlt, char out[32])
{
    const char *name = pcap_datalink_val_to_name(dlt);
    if (name)
        snprintf(out, 32, "%s", name);
    else
        snprintf(out, 32, "DLT_%d", dlt);
    return out;
}
