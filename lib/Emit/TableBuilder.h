// C structs as LLVM constants: what the tables of runtime/model.h and runtime/cuda_model.h are written with. Struct
// types are the natural ones of LLVM, which lay out as C does because every field of the C structs is a whole number of
// its own alignments from the start.
#ifndef COAT_EMIT_TABLEBUILDER_H
#define COAT_EMIT_TABLEBUILDER_H

#include "llvm/IR/Constants.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/Module.h"

namespace coat {

class TableBuilder {
public:
  explicit TableBuilder(llvm::Module &module)
      : module(module), context(module.getContext()), pointer(llvm::PointerType::get(context, 0)),
        null(llvm::ConstantPointerNull::get(pointer)) {}

  llvm::Constant *i32(int64_t n) { return llvm::ConstantInt::getSigned(llvm::Type::getInt32Ty(context), n); }
  llvm::Constant *i64(int64_t n) { return llvm::ConstantInt::getSigned(llvm::Type::getInt64Ty(context), n); }
  llvm::Constant *record(llvm::ArrayRef<llvm::Constant *> fields) {
    return llvm::ConstantStruct::getAnon(context, fields);
  }

  llvm::Constant *global(llvm::Constant *value, unsigned alignment = 0) {
    auto *variable = new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true,
                                              llvm::GlobalValue::PrivateLinkage, value, "coat_table");
    variable->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
    if (alignment)
      variable->setAlignment(llvm::Align(alignment));
    return variable;
  }
  llvm::Constant *text(llvm::StringRef s) { return global(llvm::ConstantDataArray::getString(context, s)); }
  llvm::Constant *texts(llvm::ArrayRef<std::string> list) {
    return table(list, [&](const std::string &s) { return text(s); });
  }
  /// The address of the items, laid out one after the other; null for none.
  llvm::Constant *array(llvm::ArrayRef<llvm::Constant *> items) {
    if (items.empty())
      return null;
    return global(llvm::ConstantArray::get(llvm::ArrayType::get(items.front()->getType(), items.size()), items));
  }
  template <typename Range, typename Fn> llvm::Constant *table(const Range &range, Fn make) {
    llvm::SmallVector<llvm::Constant *> items;
    for (const auto &item : range)
      items.push_back(make(item));
    return array(items);
  }

  /// Replaces the declaration of `name`, which the runtime refers to, by `value`.
  void define(llvm::StringRef name, llvm::Constant *value) {
    llvm::GlobalVariable *declared = module.getGlobalVariable(name);
    auto *table = new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true,
                                           llvm::GlobalValue::ExternalLinkage, value, name);
    table->setVisibility(llvm::GlobalValue::HiddenVisibility);
    if (!declared)
      return;
    table->takeName(declared);
    declared->replaceAllUsesWith(table);
    declared->eraseFromParent();
  }

  llvm::Module &module;
  llvm::LLVMContext &context;
  llvm::PointerType *pointer;
  llvm::Constant *null;
};

} // namespace coat

#endif
