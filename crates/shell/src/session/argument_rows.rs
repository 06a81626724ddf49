//! What functions want of their arguments: a line for each, easy to extend.
//!
//! `module:name kind kind ... [| at words]`: a kind for each argument (see [`super::arguments`]); `_` is anything. What stands
//! behind `|` is said when every argument is of its kind: the number of an argument, and what is wrong with it. `*` in place of
//! kinds means any number of arguments.

pub(super) const ROWS: &str = "\
erlang:abs number
erlang:adler32 iodata
erlang:alias list | 1 invalid option in list
erlang:append_element tuple _
erlang:apply atom atom list
erlang:atom_to_binary atom
erlang:atom_to_binary atom _ | 2 is an invalid encoding option
erlang:atom_to_list atom
erlang:binary_to_atom binary | 1 invalid UTF8 encoding
erlang:binary_to_atom binary encoding | 1 invalid UTF8 encoding
erlang:binary_to_existing_atom binary | 1 not an already existing atom
erlang:binary_to_existing_atom binary encoding | 1 not an already existing atom
erlang:binary_to_float binary | 1 not a textual representation of a float
erlang:binary_to_integer binary | 1 not a textual representation of an integer
erlang:binary_to_integer binary base | 1 not a textual representation of an integer
erlang:binary_to_list binary
erlang:binary_to_term binary | 1 invalid external representation of a term
erlang:bit_size bitstring
erlang:bitstring_to_list bitstring
erlang:byte_size bitstring
erlang:cancel_timer ref
erlang:cancel_timer ref list | 2 invalid option in list
erlang:ceil number
erlang:convert_time_unit integer time_unit time_unit
erlang:crc32 iodata
erlang:demonitor ref
erlang:demonitor ref list | 2 invalid option in list
erlang:display_string string
erlang:exit pid _
erlang:float number
erlang:float_to_binary float
erlang:float_to_binary float list | 2 invalid option in list
erlang:float_to_list float
erlang:float_to_list float list | 2 invalid option in list
erlang:floor number
erlang:fun_info fun
erlang:fun_info fun _ | 2 invalid item
erlang:fun_to_list fun
erlang:function_exported atom atom nonneg
erlang:garbage_collect pid
erlang:get_cookie atom
erlang:group_leader pid pid
erlang:halt _ | 1 invalid status
erlang:hd cons
erlang:integer_to_binary integer
erlang:integer_to_binary integer base
erlang:integer_to_list integer
erlang:integer_to_list integer base
erlang:iolist_size iodata
erlang:iolist_to_binary iodata
erlang:iolist_to_iovec iodata
erlang:is_function _ integer | 2 out of range
erlang:is_map_key _ map
erlang:is_process_alive pid
erlang:is_record _ atom
erlang:is_record _ atom integer
erlang:length list!
erlang:link pid
erlang:list_to_atom string
erlang:list_to_binary iolist
erlang:list_to_bitstring _ | 1 not a bitstring list
erlang:list_to_existing_atom string | 1 not an already existing atom
erlang:list_to_float list! | 1 not a textual representation of a float
erlang:list_to_integer list! | 1 not a textual representation of an integer
erlang:list_to_integer list base | 1 not a textual representation of an integer
erlang:list_to_pid list! | 1 not a textual representation of a pid
erlang:list_to_port list! | 1 not a textual representation of a port
erlang:list_to_ref list! | 1 not a textual representation of a reference
erlang:list_to_tuple list!
erlang:localtime_to_universaltime _ | 1 not a valid local time
erlang:make_fun atom atom nonneg
erlang:make_tuple _ _ | 1 out of range
erlang:map_get _ map | 1 not present in map
erlang:map_size map
erlang:md5 iodata
erlang:module_loaded atom
erlang:monitor_node atom boolean
erlang:monotonic_time _ | 1 invalid time unit
erlang:node pid
erlang:phash2 _ positive
erlang:pid_to_list pid
erlang:port_to_list _ | 1 not a port
erlang:process_display pid _ | 2 invalid value
erlang:process_info pid
erlang:process_info pid _ | 2 invalid item or item list
erlang:read_timer ref
erlang:ref_to_list ref
erlang:round number
erlang:send _ _ | 1 invalid destination
erlang:send_after nonneg process _
erlang:set_cookie atom
erlang:set_cookie atom atom
erlang:size _ | 1 not tuple or binary
erlang:spawn fun
erlang:spawn atom fun
erlang:spawn atom atom list
erlang:spawn atom atom atom list
erlang:spawn_link fun
erlang:spawn_link atom fun
erlang:spawn_link atom atom list
erlang:spawn_link atom atom atom list
erlang:spawn_monitor fun
erlang:spawn_monitor atom fun
erlang:spawn_monitor atom atom list
erlang:spawn_opt fun list | 2 invalid spawn option
erlang:split_binary binary nonneg | 2 out of range
erlang:start_timer nonneg process _
erlang:statistics _ | 1 invalid statistics item
erlang:subtract list list
erlang:system_flag _ _ | 1 invalid system flag
erlang:system_info _ | 1 invalid system info item
erlang:system_time _ | 1 invalid time unit
erlang:term_to_binary _ list | 2 invalid option in list
erlang:time_offset _ | 1 invalid time unit
erlang:tl cons
erlang:trunc number
erlang:tuple_size tuple
erlang:tuple_to_list tuple
erlang:unalias ref
erlang:unique_integer list | 1 invalid modifier
erlang:universaltime_to_localtime _ | 1 not a valid universal time
erlang:unlink pid
erlang:unregister _ | 1 not a pid
erlang:whereis atom
binary:at binary nonneg
binary:bin_to_list binary
binary:compile_pattern _ | 1 not a valid pattern
binary:copy binary
binary:copy binary nonneg
binary:decode_unsigned binary
binary:decode_unsigned binary endian
binary:encode_hex binary
binary:encode_unsigned nonneg
binary:encode_unsigned nonneg endian
binary:first filled
binary:last filled
binary:list_to_bin _ | 1 not an iodata term
binary:longest_common_prefix _ | 1 not a flat list of binaries
binary:longest_common_suffix _ | 1 not a flat list of binaries
binary:match binary pattern
binary:match binary pattern _ | 3 invalid options
binary:matches binary pattern
binary:matches binary pattern _ | 3 invalid options
binary:referenced_byte_size binary
binary:replace binary pattern binary
binary:replace binary pattern binary _ | 4 invalid options
binary:split binary pattern
binary:split binary pattern _ | 3 invalid options
ets:new atom list | 2 invalid options
lists:keyfind _ positive list
lists:keymember _ positive list
lists:keysearch _ positive list
lists:member _ list
lists:reverse list _
maps:filter fun2 mapiter
maps:filtermap fun2 mapiter
maps:find _ map
maps:fold fun3 _ mapiter
maps:foreach fun2 mapiter
maps:from_keys list _
maps:from_list list
maps:get _ map | 1 not present in map
maps:get _ map _
maps:groups_from_list fun1 list
maps:groups_from_list fun1 fun1 list
maps:intersect map map
maps:intersect_with fun3 map map
maps:is_key _ map
maps:iterator map
maps:keys map
maps:map fun2 mapiter
maps:merge map map
maps:merge_with fun3 map map
maps:next _ | 1 not a valid iterator
maps:put _ _ map
maps:remove _ map
maps:size map
maps:take _ map
maps:to_list map
maps:update _ _ _ | 3 not a map
maps:update_with _ fun1 map
maps:update_with _ fun1 _ map
maps:values map
maps:with list map
maps:without list map
math:acos number | 1 is outside the domain for this function
math:acosh number | 1 is outside the domain for this function
math:asin number | 1 is outside the domain for this function
math:atanh number | 1 is outside the domain for this function
math:log number | 1 is outside the domain for this function
math:log2 number | 1 is outside the domain for this function
math:log10 number | 1 is outside the domain for this function
math:sqrt number | 1 is outside the domain for this function
math:fmod number number | 2 is outside the domain for this function
math:atan2 number number
math:pow number number
math:atan number
math:asinh number
math:ceil number
math:cos number
math:cosh number
math:erf number
math:erfc number
math:exp number
math:floor number
math:sin number
math:sinh number
math:tan number
math:tanh number
unicode:characters_to_binary _ | 1 not valid character data (an iodata term)
unicode:characters_to_list _ | 1 not valid character data (an iodata term)
unicode:characters_to_nfc_binary _ | 1 not valid character data (an iodata term)
unicode:characters_to_nfc_list _ | 1 not valid character data (an iodata term)
unicode:characters_to_nfd_binary _ | 1 not valid character data (an iodata term)
unicode:characters_to_nfd_list _ | 1 not valid character data (an iodata term)
";
