/* kafka_client.c - see kafka_client.h. */
#include "source/kafka_client.h"

#include "source/kafka_security.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

void cl_kafka_notes_init(struct cl_kafka_notes *n)
{
    *n = (struct cl_kafka_notes){.event = RD_KAFKA_RESP_ERR_NO_ERROR};
    (void)pthread_mutex_init(&n->lock, NULL);
}

void cl_kafka_notes_fini(struct cl_kafka_notes *n)
{
    (void)pthread_mutex_destroy(&n->lock);
}

const char *cl_kafka_notes_text(struct cl_kafka_notes *n, char *buf, size_t size)
{
    (void)pthread_mutex_lock(&n->lock);
    (void)snprintf(buf, size, "%s", n->text);
    (void)pthread_mutex_unlock(&n->lock);
    return buf;
}

rd_kafka_resp_err_t cl_kafka_notes_take_event(struct cl_kafka_notes *n, char text[512])
{
    (void)pthread_mutex_lock(&n->lock);
    rd_kafka_resp_err_t e = n->event;
    memcpy(text, n->event_text, sizeof n->event_text);
    n->event = RD_KAFKA_RESP_ERR_NO_ERROR;
    (void)pthread_mutex_unlock(&n->lock);
    return e;
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)facility;
    struct cl_kafka_notes *n = rd_kafka_opaque(rk);
    if (level > LOG_WARNING || n == NULL) return;
    /* "[thrd:NAME]: " and " (after 0ms in state CONNECT...)" say nothing to a person. */
    const char *after = strncmp(text, "[thrd:", 6) == 0 ? strstr(text, "]: ") : NULL;
    (void)pthread_mutex_lock(&n->lock);
    (void)snprintf(n->text, sizeof n->text, "%s", after != NULL ? after + 3 : text);
    char *how_long = strstr(n->text, " (after ");
    if (how_long != NULL) *how_long = '\0';
    (void)pthread_mutex_unlock(&n->lock);
}

/* A TLS handshake that was broken off: by a broker that is going down, too. */
static bool may_pass(rd_kafka_resp_err_t e, const char *reason)
{
    return e == RD_KAFKA_RESP_ERR__SSL && strstr(reason, "certificate verify failed") == NULL;
}

static void on_error(rd_kafka_t *rk, int event, const char *reason, void *opaque)
{
    (void)rk;
    struct cl_kafka_notes *n = opaque;
    rd_kafka_resp_err_t e = (rd_kafka_resp_err_t)event;
    (void)pthread_mutex_lock(&n->lock);
    /* "1/1 brokers are down" says less than the log line before it, which has the cause. */
    if (e != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || n->text[0] == '\0')
        (void)snprintf(n->text, sizeof n->text, "%s", reason);
    /* Two kinds are kept for whoever asks; the one that needs a person is not covered by what
     * follows from it. */
    if ((cl_kafka_needs_a_person(e) && !may_pass(e, reason)) ||
        (e == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && !cl_kafka_needs_a_person(n->event))) {
        n->event = e;
        (void)snprintf(n->event_text, sizeof n->event_text, "%s", reason);
    }
    (void)pthread_mutex_unlock(&n->lock);
}

bool cl_kafka_needs_a_person(rd_kafka_resp_err_t e)
{
    switch (e) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_SECURITY_DISABLED: return true;
    default: return false;
    }
}

enum cl_code cl_kafka_fail(struct cl_error *err, rd_kafka_resp_err_t e,
                           struct cl_kafka_notes *notes, const char *fmt, ...)
{
    bool person = cl_kafka_needs_a_person(e);
    enum cl_code code = person ? CL_EINVAL : CL_EIO;
    if (err == NULL) return code;
    char what[512], note[512] = "";
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    if (notes != NULL) (void)cl_kafka_notes_text(notes, note, sizeof note);
    /* What these two mean is said better by what was noted. */
    bool vague = e == RD_KAFKA_RESP_ERR__TRANSPORT || e == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    if (note[0] == '\0')
        (void)cl_fail(err, code, "%s: %s", what, rd_kafka_err2str(e));
    else if (vague)
        (void)cl_fail(err, code, "%s: %s", what, note);
    else
        (void)cl_fail(err, code, "%s: %s (%s)", what, rd_kafka_err2str(e), note);
    err->fatal = person;
    err->origin = CL_ORIGIN_KAFKA;
    err->origin_code = e;
    return code;
}

enum cl_code cl_kafka_fail_unreachable(struct cl_error *err, rd_kafka_resp_err_t e,
                                       struct cl_kafka_notes *notes, const char *servers)
{
    char note[512];
    (void)cl_kafka_notes_text(notes, note, sizeof note);
    (void)pthread_mutex_lock(&notes->lock);
    int certificate = notes->certificate;
    (void)pthread_mutex_unlock(&notes->lock);
    const char *remedy = cl_kafka_security_remedy(e, note, certificate);
    enum cl_code code;
    if (e == RD_KAFKA_RESP_ERR__AUTHENTICATION)
        code = cl_kafka_fail(err, e, NULL, "Kafka at %s: authentication failed: %s", servers, note);
    else
        code = cl_kafka_fail(err, e, notes, "cannot reach Kafka at %s", servers);
    if (err == NULL) return code;
    size_t used = strlen(err->message);
    (void)snprintf(err->message + used, sizeof err->message - used, "; %s",
                   remedy[0] != '\0'
                       ? remedy
                       : "is the broker running, and does this port speak TLS (kafka.security)? "
                         "check kafka.bootstrap_servers or --kafka");
    return code;
}

rd_kafka_resp_err_t cl_kafka_metadata(rd_kafka_t *rk, struct cl_kafka_notes *notes,
                                      rd_kafka_topic_t *topic, int timeout_ms,
                                      const struct rd_kafka_metadata **ret)
{
    char text[512];
    for (;;) {
        int slice_ms = timeout_ms > 500 ? 500 : timeout_ms > 0 ? timeout_ms : 1;
        rd_kafka_resp_err_t e = rd_kafka_metadata(rk, topic == NULL, topic, ret, slice_ms);
        if (e == RD_KAFKA_RESP_ERR_NO_ERROR) return e;
        (void)rd_kafka_poll(rk, 0); /* serves the error callback */
        rd_kafka_resp_err_t event = cl_kafka_notes_take_event(notes, text);
        if (cl_kafka_needs_a_person(event)) return event;
        timeout_ms -= slice_ms;
        bool again = e == RD_KAFKA_RESP_ERR__TIMED_OUT || e == RD_KAFKA_RESP_ERR__TRANSPORT;
        if (timeout_ms <= 0 || !again) return e;
    }
}

static const struct cl_kafka_property *find_name(const struct cl_kafka_property *pairs,
                                                 const char *name)
{
    for (; pairs->name != NULL; pairs++)
        if (strcmp(pairs->name, name) == 0) return pairs;
    return NULL;
}

static enum cl_code set_property(rd_kafka_conf_t *conf, const char *name, const char *value,
                                 const char *where, struct cl_error *err)
{
    char reason[512];
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) == RD_KAFKA_CONF_OK)
        return CL_OK;
    return cl_fail_at(err, CL_EINVAL, where, "kafka.properties: %s: %s", name, reason);
}

static enum cl_code set_pairs(rd_kafka_conf_t *conf, const struct cl_kafka_property *pairs,
                              struct cl_error *err)
{
    enum cl_code code = CL_OK;
    for (; code == CL_OK && pairs->name != NULL; pairs++)
        code = set_property(conf, pairs->name, pairs->value, "", err);
    return code;
}

static enum cl_code set_all(rd_kafka_conf_t *conf, const struct cl_spec *spec,
                            const struct cl_kafka_property *defaults,
                            const struct cl_kafka_property *fixed, struct cl_error *err)
{
    enum cl_code code = set_pairs(conf, defaults, err);
    if (code == CL_OK) code = set_property(conf, "client.id", "citylake", "", err);
    if (code == CL_OK)
        code =
            set_property(conf, "bootstrap.servers", spec->kafka.bootstrap_servers, spec->path, err);
    for (size_t i = 0; code == CL_OK && i < spec->kafka.n_properties; i++) {
        const char *name = spec->kafka.properties[2 * i],
                   *value = spec->kafka.properties[2 * i + 1];
        const struct cl_kafka_property *ours = find_name(fixed, name);
        if (ours != NULL && strcmp(ours->value, value) != 0)
            return cl_fail_at(
                err, CL_EINVAL, spec->path,
                "kafka.properties: %s must stay \"%s\", or events could be lost; remove the line",
                name, ours->value);
        code = set_property(conf, name, value, spec->path, err);
    }
    return code == CL_OK ? set_pairs(conf, fixed, err) : code;
}

enum cl_code
cl_kafka_client_new(const struct cl_spec *spec, rd_kafka_type_t type,
                    const struct cl_kafka_property *defaults, const struct cl_kafka_property *fixed,
                    struct cl_kafka_notes *notes,
                    void (*dr_msg_cb)(rd_kafka_t *, const rd_kafka_message_t *, void *),
                    rd_kafka_t **ret, struct cl_error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum cl_code code = set_all(conf, spec, defaults, fixed, err);
    if (code == CL_OK) code = cl_kafka_security_apply(conf, spec, err);
    if (code != CL_OK) {
        rd_kafka_conf_destroy(conf);
        return code;
    }
    rd_kafka_conf_set_opaque(conf, notes);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    if (dr_msg_cb != NULL) rd_kafka_conf_set_dr_msg_cb(conf, dr_msg_cb);
    char reason[512];
    rd_kafka_t *rk = rd_kafka_new(type, conf, reason, sizeof reason);
    if (rk == NULL) {
        rd_kafka_conf_destroy(conf); /* rd_kafka_new takes it only when it succeeds */
        return cl_fail_at(err, CL_EINVAL, spec->path, "kafka: %s; check kafka.properties", reason);
    }
    *ret = rk;
    return CL_OK;
}
