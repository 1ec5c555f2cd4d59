/* messages.h: the text of an error, without printf: models call no library.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#ifndef COAT_MESSAGES_H
#define COAT_MESSAGES_H

#include "model.h"

/* Appends to the caller's error buffer; every append keeps it NUL-terminated and cuts what does not fit. */
typedef struct {
  char *at;
  size_t left;
} message;

static message messageOf(const coat_options *options) {
  message m = {options->error, options->error ? options->error_size : 0};
  if (m.left)
    *m.at = 0;
  return m;
}

static void text(message *m, const char *s) {
  for (; *s && m->left > 1; ++s, --m->left)
    *m->at++ = *s;
  if (m->left)
    *m->at = 0;
}

static void number(message *m, int64_t value) {
  char digits[24];
  char *end = digits + sizeof digits - 1;
  uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  *end = 0;
  do
    *--end = (char)('0' + rest % 10);
  while ((rest /= 10) != 0);
  if (value < 0)
    *--end = '-';
  text(m, end);
}

#endif
