// The verbs of the tool, a file each.
#ifndef COAT_TOOLS_VERBS_H
#define COAT_TOOLS_VERBS_H

#include "Flags.h"

namespace coat::tool {

Status compile(const Flags &flags);
Status check(const Flags &flags);
Status ops();
Status run(const Flags &flags);
Status bench(const Flags &flags);
Status verify(const Flags &flags);

} // namespace coat::tool

#endif
