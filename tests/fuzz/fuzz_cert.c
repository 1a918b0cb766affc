/* A certificate in DER. */
#include "dissect/tls_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tls_certificate *c = tls_certificate_read(slice_of(data, size));
    tls_certificate_matches(c, "www.example.org");
    tls_certificate_free(c);
    return 0;
}
