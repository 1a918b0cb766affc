#include "diagnose/conversation.h"

const char *step_kind_name(enum step_kind k)
{
    static const char *const names[] = { "arp", "dns", "tcp", "tls", "http", "icmp" };
    return names[k];
}

void conversation_free(struct conversation *c)
{
    if (!c)
        return;
    for (guint i = 0; c->steps && i < c->steps->len; i++)
        g_free(g_array_index(c->steps, struct step, i).text);
    for (guint i = 0; c->redirects && i < c->redirects->len; i++) {
        g_free(g_array_index(c->redirects, struct redirect, i).from);
        g_free(g_array_index(c->redirects, struct redirect, i).to);
    }
    if (c->steps)
        g_array_free(c->steps, TRUE);
    if (c->redirects)
        g_array_free(c->redirects, TRUE);
    if (c->flows)
        g_array_free(c->flows, TRUE);
    finding_free(c->verdict);
    g_free(c);
}

const struct finding *conversation_verdict(const struct conversation *c)
{
    return c->verdict ? c->verdict : finding_ok();
}
