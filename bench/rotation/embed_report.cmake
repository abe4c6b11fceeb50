# livetls_embed_report(<target>): adds report.html to a target as livetls::bench::kReportTemplate. It is a
# literal in pieces that end with a line, since compilers limit the length of one.
function(livetls_embed_report target)
  set(source ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/report.html)
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/report_template.cpp)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})

  file(READ ${source} rest)
  set(pieces "")
  string(LENGTH "${rest}" left)
  while(left GREATER 0)
    string(SUBSTRING "${rest}" 0 8000 piece)
    string(FIND "${piece}" "\n" end REVERSE)
    math(EXPR end "${end} + 1")
    if(end EQUAL 0)
      message(FATAL_ERROR "${source}: a line of more than 8000 bytes, or none at the end")
    endif()
    string(SUBSTRING "${rest}" 0 ${end} piece)
    string(SUBSTRING "${rest}" ${end} -1 rest)
    string(APPEND pieces "\n    R\"report(${piece})report\"")
    string(LENGTH "${rest}" left)
  endwhile()

  string(CONCAT code
    "// Made from report.html by embed_report.cmake.\n"
    "#include <string_view>\n\n"
    "namespace livetls::bench {\n\n"
    "extern const std::string_view kReportTemplate;\n"
    "const std::string_view kReportTemplate =${pieces};\n\n"
    "}  // namespace livetls::bench\n")
  set(before "")
  if(EXISTS ${generated})
    file(READ ${generated} before)
  endif()
  if(NOT code STREQUAL before)
    file(WRITE ${generated} "${code}")
  endif()
  target_sources(${target} PRIVATE ${generated})
endfunction()
