/* err.c - one sentence that grows on its way up; see base.h */
#include <ctrcompose/base.h>

#include <stdlib.h>
#include <string.h>

static int set(struct err *err, int code, struct sbuf *text)
{
	err_clear(err);
	err->code = code;
	err->msg = sbuf_take(text);
	return code;
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
	struct sbuf text = SBUF_INIT;
	va_list ap;

	code = code > 0 ? -code : code;
	if (!err)
		return code;
	va_start(ap, fmt);
	sbuf_addv(&text, fmt, ap);
	va_end(ap);
	return set(err, code, &text);
}

int err_wrap(struct err *err, int code, const char *fmt, ...)
{
	struct sbuf text = SBUF_INIT;
	va_list ap;

	code = code > 0 ? -code : code;
	if (!err)
		return code;
	va_start(ap, fmt);
	sbuf_addv(&text, fmt, ap);
	va_end(ap);
	sbuf_addf(&text, ": %s", err->msg ? err->msg : strerror(-code));
	return set(err, code, &text);
}

int err_errno(struct err *err, const char *fmt, ...)
{
	struct sbuf text = SBUF_INIT;
	int code = errno ? errno : EIO;
	va_list ap;

	if (!err)
		return -code;
	va_start(ap, fmt);
	sbuf_addv(&text, fmt, ap);
	va_end(ap);
	sbuf_addf(&text, ": %s", strerror(code));
	return set(err, -code, &text);
}

const char *err_text(const struct err *err)
{
	return err->msg ? err->msg : err->code ? strerror(-err->code) : "unknown error";
}

void err_clear(struct err *err)
{
	free(err->msg);
	*err = (struct err)ERR_INIT;
}
