# What find_package(livetls) needs: the targets, and a configuration that finds what they are built on.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/livetls)

install(EXPORT livetls NAMESPACE livetls:: FILE livetlsTargets.cmake DESTINATION ${package_folder})
configure_package_config_file(cmake/livetlsConfig.cmake.in ${PROJECT_BINARY_DIR}/livetlsConfig.cmake
  INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/livetlsConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/livetlsConfig.cmake
  ${PROJECT_BINARY_DIR}/livetlsConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/cmake/FindWolfSSL.cmake
  DESTINATION ${package_folder})
