# find_package(backprop) defines the target backprop::backprop.
if(NOT TARGET backprop::backprop)
    get_filename_component(_backprop_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
    add_library(backprop::backprop SHARED IMPORTED)
    set_target_properties(backprop::backprop PROPERTIES
        IMPORTED_LOCATION "${_backprop_prefix}/lib/libbackprop.so.1"
        INTERFACE_INCLUDE_DIRECTORIES "${_backprop_prefix}/include")
    unset(_backprop_prefix)
endif()
