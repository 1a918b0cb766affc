/* Prints docs/verdicts.md. */
#include "report/text_explain.h"

int main(void)
{
    text_explain_page(stdout);
    return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
