# cmake -DMUTANT=<file> -DCORE=<native/core> -DOUT=<directory> -P mutate.cmake
#
# Copies the core to OUT/core with the one change that the mutant describes:
#
#     what is broken
#     file: ring.h
#     model: ring capacity_1 capacity_2     (the model and the scenarios that must fail; read by CMakeLists.txt)
#     --- replace
#     text that occurs in that file exactly once
#     --- by
#     its replacement
file(READ "${MUTANT}" mutant)
if(NOT mutant MATCHES "\nfile: ([a-z_]+[.]h)\n")
  message(FATAL_ERROR "${MUTANT} does not name a file")
endif()
set(file "${CMAKE_MATCH_1}")
string(FIND "${mutant}" "\n--- replace\n" replace)
string(FIND "${mutant}" "\n--- by\n" by)
if(replace EQUAL -1 OR by LESS replace)
  message(FATAL_ERROR "${MUTANT} does not tell what to replace by what")
endif()
math(EXPR old_begin "${replace} + 13")
math(EXPR old_length "${by} - ${old_begin}")
math(EXPR new_begin "${by} + 8")
string(SUBSTRING "${mutant}" ${old_begin} ${old_length} old)
string(SUBSTRING "${mutant}" ${new_begin} -1 new)
string(REGEX REPLACE "\n$" "" new "${new}")

file(READ "${CORE}/${file}" text)
string(FIND "${text}" "${old}" first)
string(FIND "${text}" "${old}" last REVERSE)
if(first EQUAL -1 OR NOT first EQUAL last)
  message(FATAL_ERROR "${MUTANT}: this is not in ${file}, or more than once:\n${old}")
endif()
string(REPLACE "${old}" "${new}" text "${text}")
file(COPY "${CORE}" DESTINATION "${OUT}")
file(WRITE "${OUT}/core/${file}" "${text}")
