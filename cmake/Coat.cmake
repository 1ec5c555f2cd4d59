# The wrappers that keep the CMakeLists.txt of a folder at a few lines.

# One precompiled header serves every library: the MLIR headers that all of them read.
function(coat_use_pch target)
  if(TARGET CoatPch)
    target_precompile_headers(${target} REUSE_FROM CoatPch)
  endif()
endfunction()

# coat_add_library(Name sources... [DEPENDS targets] [LINK libraries])
# A static library CoatName. The link lines are the dependency rule of docs/Architecture.md.
function(coat_add_library name)
  cmake_parse_arguments(ARG "NO_PCH" "" "DEPENDS;LINK" ${ARGN})
  add_library(Coat${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  if(NOT ARG_NO_PCH)
    coat_use_pch(Coat${name})
  endif()
  add_dependencies(Coat${name} coat-headers)
  if(ARG_DEPENDS)
    add_dependencies(Coat${name} ${ARG_DEPENDS})
  endif()
  target_link_libraries(Coat${name} PUBLIC ${ARG_LINK} MLIR LLVM)
endfunction()

# coat_add_reference(Page generator file.td): a page of the generated reference, build/docs/<Page>.md (target coat-docs).
function(coat_add_reference page generator td)
  set(LLVM_TARGET_DEFINITIONS ${td})
  tablegen(MLIR ${page}.md ${generator})
  add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/docs/${page}.md
    COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_CURRENT_BINARY_DIR}/${page}.md ${PROJECT_BINARY_DIR}/docs/${page}.md
    DEPENDS ${CMAKE_CURRENT_BINARY_DIR}/${page}.md)
  add_custom_target(coat-docs-${page} DEPENDS ${PROJECT_BINARY_DIR}/docs/${page}.md)
  add_dependencies(coat-docs coat-docs-${page})
endfunction()

# coat_add_passes(Stage): generates the pass declarations of include/coat/<Stage>/Passes.td.
function(coat_add_passes stage)
  set(LLVM_TARGET_DEFINITIONS Passes.td)
  mlir_tablegen(Passes.h.inc -gen-pass-decls -name Coat${stage})
  add_public_tablegen_target(Coat${stage}PassIncGen)
  coat_add_reference(${stage}Passes -gen-pass-doc Passes.td)
  add_dependencies(coat-headers Coat${stage}PassIncGen)
  set_property(GLOBAL APPEND PROPERTY COAT_PASS_TDS ${CMAKE_CURRENT_SOURCE_DIR}/Passes.td)
endfunction()

# coat_add_tool(name sources... [LINK libraries])
function(coat_add_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  add_dependencies(${name} coat-headers)
  target_link_libraries(${name} PRIVATE ${ARG_LINK} MLIR LLVM)
endfunction()
