/* chmod.c - "u=rwX,go-w" as chmod(1) reads it, without a umask; pure */
#include "private.h"

#include <string.h>

enum { USER = 04700, GROUP = 02070, OTHERS = 01007, ALL = 07777 };

static mode_t who(const char **s)
{
	mode_t m = 0;

	for (;; (*s)++)
		switch (**s) {
		case 'u':
			m |= USER;
			break;
		case 'g':
			m |= GROUP;
			break;
		case 'o':
			m |= OTHERS;
			break;
		case 'a':
			m |= ALL;
			break;
		default:
			return m ? m : ALL;
		}
}

/* One class of three bits for all three. */
static mode_t spread(mode_t bits)
{
	bits &= 7;
	return bits | bits << 3 | bits << 6;
}

static mode_t permissions(const char **s, mode_t mode, bool folder)
{
	mode_t m = 0;

	switch (**s) {
	case 'u':
		return (*s)++, spread(mode >> 6);
	case 'g':
		return (*s)++, spread(mode >> 3);
	case 'o':
		return (*s)++, spread(mode);
	default:
		break;
	}
	for (;; (*s)++)
		switch (**s) {
		case 'r':
			m |= 0444;
			break;
		case 'w':
			m |= 0222;
			break;
		case 'x':
			m |= 0111;
			break;
		case 'X':
			m |= folder || (mode & 0111) ? 0111 : 0;
			break;
		case 's':
			m |= 06000;
			break;
		case 't':
			m |= 01000;
			break;
		default:
			return m;
		}
}

int chmod_symbolic(const char *text, mode_t mode, bool folder, mode_t *out)
{
	const char *s = text;

	mode &= 07777;
	for (;;) {
		mode_t mask = who(&s);

		if (*s != '+' && *s != '-' && *s != '=')
			return -EINVAL;
		while (*s == '+' || *s == '-' || *s == '=') {
			char op = *s++;
			mode_t bits = permissions(&s, mode, folder) & mask;

			mode = op == '+'   ? mode | bits
			       : op == '-' ? mode & ~bits
					   : (mode & ~mask) | bits;
		}
		if (!*s) {
			*out = mode;
			return 0;
		}
		if (*s++ != ',')
			return -EINVAL;
	}
}
