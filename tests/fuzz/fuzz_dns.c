/* A DNS message as a UDP datagram carries it. */
#include "dissect/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dns_message_free(dns_parse(slice_of(data, size)));
    return 0;
}
