# For users: a compiled model as a CMake target.
#
#   find_package(coat REQUIRED)
#   coat_add_model(net MODEL net.onnx ISA x86-64-v3 x86-64-v4)
#   target_link_libraries(app PRIVATE net)
#
# coat_add_model(<name>
#   MODEL <file>          .onnx, or coat's own .mlir
#   [ISA <cpu>...]        instruction sets, chosen at run time (default: x86-64-v3)
#   [DEVICE cpu|cuda]     where it runs
#   [GPU_ARCH <arch>...]  for DEVICE cuda (default: sm_80 sm_90a)
#   [LEVEL <0|1|2|3|s>]   as -O
#   [DIM <N=1..8>...]     ranges of symbolic dimensions
#   [SHAPE <x=1x3>...]    static shapes of inputs
#   [WEIGHTS embed|file]  file: <name>.weights stays beside the library
#   [FLAGS <flag>...]     any other flag of `coat compile`
#   [SHARED])             a .so instead of a .a
#
# makes the library target <name>; its headers are <name.h> and <name.hpp>, its symbols start with <name>_. The property
# COAT_FOLDER of the target is where <name>.json and <name>.weights are.
function(coat_add_model name)
  cmake_parse_arguments(ARG "SHARED" "MODEL;DEVICE;LEVEL;WEIGHTS" "ISA;GPU_ARCH;DIM;SHAPE;FLAGS" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "coat_add_model(${name}): expected MODEL, ISA, DEVICE, GPU_ARCH, LEVEL, DIM, SHAPE, WEIGHTS, FLAGS or SHARED, got ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT ARG_MODEL)
    message(FATAL_ERROR "coat_add_model(${name}): expected MODEL <file>, got none")
  endif()
  get_filename_component(model "${ARG_MODEL}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/${name}.coat")
  set(kind STATIC)
  set(library "${folder}/lib${name}.a")
  if(ARG_SHARED)
    set(kind SHARED)
    set(library "${folder}/lib${name}.so")
  endif()

  set(flags --name=${name})
  if(ARG_ISA)
    list(JOIN ARG_ISA "," isas)
    list(APPEND flags --isa=${isas})
  endif()
  if(ARG_DEVICE)
    list(APPEND flags --device=${ARG_DEVICE})
  endif()
  if(ARG_GPU_ARCH)
    list(JOIN ARG_GPU_ARCH "," archs)
    list(APPEND flags --gpu-arch=${archs})
  endif()
  if(DEFINED ARG_LEVEL)
    list(APPEND flags -O${ARG_LEVEL})
  endif()
  foreach(dim IN LISTS ARG_DIM)
    list(APPEND flags "--dim=${dim}")
  endforeach()
  foreach(shape IN LISTS ARG_SHAPE)
    list(APPEND flags "--shape=${shape}")
  endforeach()
  set(products "${library}" "${folder}/${name}.h" "${folder}/${name}.hpp" "${folder}/${name}.json")
  if(ARG_WEIGHTS)
    list(APPEND flags --weights=${ARG_WEIGHTS})
    if(ARG_WEIGHTS STREQUAL file)
      list(APPEND products "${folder}/${name}.weights")
    endif()
  endif()

  file(MAKE_DIRECTORY "${folder}")
  add_custom_command(OUTPUT ${products}
    COMMAND $<TARGET_FILE:coat::coat> compile "${model}" -o "${library}" ${flags} ${ARG_FLAGS}
    DEPENDS "${model}" $<TARGET_FILE:coat::coat>
    COMMENT "Compiling the model ${name}"
    VERBATIM)
  add_custom_target(${name}_compile DEPENDS ${products})
  add_library(${name} ${kind} IMPORTED GLOBAL)
  add_dependencies(${name} ${name}_compile)
  set_target_properties(${name} PROPERTIES
    IMPORTED_LOCATION "${library}"
    COAT_FOLDER "${folder}")
  target_include_directories(${name} INTERFACE "${folder}")
  target_link_libraries(${name} INTERFACE coat::headers)
  if(ARG_DEVICE STREQUAL cuda)
    target_link_libraries(${name} INTERFACE ${CMAKE_DL_LIBS}) # finds the driver when it runs
  endif()
endfunction()
