// What the fuzz targets of the importer share.
#ifndef COAT_FUZZ_IMPORTER_H
#define COAT_FUZZ_IMPORTER_H

#include <cstddef>
#include <cstdint>

/// Imports the bytes as a model file and has `coat check` read them; aborts where the two disagree, where a module does
/// not verify, or where a refusal is not one line.
void importBytes(const uint8_t *data, size_t size);

#endif
