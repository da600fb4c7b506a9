#include "source/kafka_security.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRET_MAX = 4096 };

/* SCRAM of an older librdkafka sends a nonce that brokers since Kafka 3.8.1 and 4.0 refuse. */
#define FIRST_WITH_SCRAM 0x020601ff

static int on_certificate(rd_kafka_t *rk, const char *broker, int32_t broker_id, int *x509_error,
                          int depth, const char *der, size_t size, char *text, size_t text_size,
                          void *opaque)
{
    struct cl_kafka_notes *notes = opaque;
    (void)rk;
    (void)broker_id;
    (void)depth;
    (void)der;
    (void)size;
    if (*x509_error == X509_V_OK) return 1;
    (void)pthread_mutex_lock(&notes->lock);
    notes->certificate = *x509_error;
    (void)pthread_mutex_unlock(&notes->lock);
    (void)snprintf(text, text_size, "certificate of %s: %s", broker,
                   X509_verify_cert_error_string(*x509_error));
    return 0;
}

static enum cl_code set(rd_kafka_conf_t *conf, const struct cl_spec *spec, const char *name,
                        const char *value, struct cl_error *err)
{
    char reason[512]; /* may quote the value: not for messages */
    if (value == NULL) return CL_OK;
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) == RD_KAFKA_CONF_OK)
        return CL_OK;
    return cl_fail_at(err, CL_EINVAL, spec->path,
                      "kafka.security: this librdkafka (%s) does not take %s",
                      rd_kafka_version_str(), name);
}

/* A file's content, without the line end that editors leave. */
static enum cl_code read_secret(const char *path, char buf[SECRET_MAX], struct cl_error *err)
{
    struct stat st;
    size_t len = 0;
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), why = errno;
    if (fd < 0)
        return cl_fail(err, CL_EINVAL, "cannot read the secret in %.200s: %s", path, strerror(why));
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        (void)close(fd);
        return cl_fail(err, CL_EINVAL, "cannot read the secret in %.200s: it is a folder", path);
    }
    while (len < SECRET_MAX - 1 && (n = read(fd, buf + len, SECRET_MAX - 1 - len)) > 0)
        len += (size_t)n;
    why = errno;
    (void)close(fd);
    if (n < 0)
        return cl_fail(err, CL_EINVAL, "cannot read the secret in %.200s: %s", path, strerror(why));
    while (len > 0 && (buf[len - 1] == '\n' || buf[len - 1] == '\r'))
        len--;
    buf[len] = '\0';
    if (len == 0 || strlen(buf) != len)
        return cl_fail(err, CL_EINVAL, "the file %.200s holds no secret: it is empty or binary",
                       path);
    return CL_OK;
}

static enum cl_code set_secret(rd_kafka_conf_t *conf, const struct cl_spec *spec, const char *name,
                               const char *value, const char *file, struct cl_error *err)
{
    char buf[SECRET_MAX];
    if (file == NULL) return set(conf, spec, name, value, err);
    enum cl_code code = read_secret(file, buf, err);
    if (code == CL_OK) code = set(conf, spec, name, buf, err);
    explicit_bzero(buf, sizeof buf);
    return code;
}

static enum cl_code check_files(const struct cl_kafka_security *s, const char *where,
                                struct cl_error *err)
{
    const char *const files[][2] = {
        {"ca", s->ca}, {"certificate", s->certificate}, {"key", s->key}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i][1] != NULL && access(files[i][1], R_OK) != 0)
            return cl_fail_at(err, CL_EINVAL, where,
                              "kafka.security.tls.%s: cannot read %.200s: %s", files[i][0],
                              files[i][1], strerror(errno));
    return CL_OK;
}

static const char *mechanism_of(const char *word)
{
    return strcmp(word, "plain") == 0           ? "PLAIN"
           : strcmp(word, "scram-sha-256") == 0 ? "SCRAM-SHA-256"
                                                : "SCRAM-SHA-512";
}

enum cl_code cl_kafka_security_apply(rd_kafka_conf_t *conf, const struct cl_spec *spec,
                                     struct cl_error *err)
{
    const struct cl_kafka_security *s = &spec->kafka.security;
    /* Without effect in a client that speaks no TLS. */
    (void)rd_kafka_conf_set_ssl_cert_verify_cb(conf, on_certificate);
    if (!s->given) return CL_OK;
    bool sasl = s->mechanism != NULL;
    enum cl_code code = check_files(s, spec->path, err);
    if (code == CL_OK)
        code = set(conf, spec, "security.protocol",
                   s->tls ? (sasl ? "sasl_ssl" : "ssl") : (sasl ? "sasl_plaintext" : "plaintext"),
                   err);
    if (code == CL_OK) code = set(conf, spec, "ssl.ca.location", s->ca, err);
    if (code == CL_OK) code = set(conf, spec, "ssl.certificate.location", s->certificate, err);
    if (code == CL_OK) code = set(conf, spec, "ssl.key.location", s->key, err);
    if (code == CL_OK)
        code =
            set_secret(conf, spec, "ssl.key.password", s->key_password, s->key_password_file, err);
    /* Said in both cases: it is off by default before librdkafka 2.0. */
    if (code == CL_OK && s->tls)
        code = set(conf, spec, "ssl.endpoint.identification.algorithm",
                   s->verify_host_name ? "https" : "none", err);
    if (code != CL_OK || !sasl) return code;
    code = set(conf, spec, "sasl.mechanism", mechanism_of(s->mechanism), err);
    if (code == CL_OK) code = set(conf, spec, "sasl.username", s->username, err);
    return code == CL_OK
               ? set_secret(conf, spec, "sasl.password", s->password, s->password_file, err)
               : code;
}

static const char *certificate_remedy(int certificate)
{
    switch (certificate) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return "the broker's certificate is for another host name: connect by a name that it "
               "holds, or let it be issued for this one";
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "the broker's certificate is not valid now: check its dates and this machine's "
               "clock";
    default:
        return "the broker's certificate is not signed by an authority that is trusted here: set "
               "kafka.security.tls.ca to the one that signed it";
    }
}

const char *cl_kafka_security_remedy(rd_kafka_resp_err_t e, const char *text, int certificate)
{
    if (e == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
        e == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED) {
        if (strstr(text, "SCRAM") != NULL && rd_kafka_version() < FIRST_WITH_SCRAM)
            return "check user and password; librdkafka before 2.6.1 cannot do SCRAM with Kafka "
                   "3.8.1, 4.0 or newer: install a newer one or use another mechanism";
        if (strstr(text, "handshake failed") != NULL)
            return "this listener takes another mechanism, or no SASL at all: check "
                   "kafka.security.sasl and the port";
        return "check user and password";
    }
    if (e == RD_KAFKA_RESP_ERR__SSL && strstr(text, "certificate verify failed") != NULL)
        return certificate_remedy(certificate);
    if (strstr(text, "unexpected eof") != NULL || strstr(text, "wrong version number") != NULL ||
        strstr(text, "PLAINTEXT broker listener") != NULL)
        return "does this port speak TLS?  Without, set no kafka.security.tls";
    if (strstr(text, "SSL alert number") != NULL)
        return "the broker refuses our certificate: set kafka.security.tls.certificate and key";
    return "";
}
