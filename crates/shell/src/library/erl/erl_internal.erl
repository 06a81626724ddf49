%% erl_internal: which names are operators, and which functions need no module before them.
-module(erl_internal).
-export([bif/2, bif/3, guard_bif/2, type_test/2, new_type_test/2, old_type_test/2, old_bif/2, arith_op/2, bool_op/2,
         comp_op/2, list_op/2, send_op/2, op_type/2]).

bif(erlang, F, N) -> bif(F, N);
bif(_, _, _) -> false.
bif(F, N) -> erl_internal:'$auto_imported'(F, N).
old_bif(F, N) -> bif(F, N) andalso not lists:member({F, N}, [{binary_part, 2}, {binary_part, 3}, {ceil, 1}, {floor, 1}, {is_map, 1}, {is_map_key, 2}, {map_get, 2}, {map_size, 1}, {max, 2}, {min, 2}]).

guard_bif(F, 1) ->
    lists:member(F, [abs, binary_part, bit_size, byte_size, ceil, float, floor, hd, length, map_size, node, round, size, tl, trunc, tuple_size])
        andalso F =/= binary_part orelse new_type_test(F, 1);
guard_bif(F, 2) -> lists:member(F, [binary_part, element, is_map_key, map_get, max, min]) andalso F =/= max andalso F =/= min orelse new_type_test(F, 2);
guard_bif(binary_part, 3) -> true;
guard_bif(F, 0) -> F =:= node orelse F =:= self;
guard_bif(F, N) -> new_type_test(F, N).

type_test(F, N) -> new_type_test(F, N) orelse old_type_test(F, N).
new_type_test(F, 1) ->
    lists:member(F, [is_atom, is_binary, is_bitstring, is_boolean, is_float, is_function, is_integer, is_list, is_map, is_number, is_pid, is_port, is_reference, is_tuple]);
new_type_test(F, 2) -> F =:= is_function orelse F =:= is_record;
new_type_test(is_record, 3) -> true;
new_type_test(_, _) -> false.
old_type_test(F, 1) -> lists:member(F, [integer, float, number, atom, list, tuple, pid, reference, port, binary, function]);
old_type_test(record, 2) -> true;
old_type_test(_, _) -> false.

arith_op(Op, 1) -> lists:member(Op, ['+', '-', 'bnot']);
arith_op(Op, 2) -> lists:member(Op, ['+', '-', '*', '/', 'div', 'rem', 'band', 'bor', 'bxor', 'bsl', 'bsr']);
arith_op(_, _) -> false.
bool_op('not', 1) -> true;
bool_op(Op, 2) -> lists:member(Op, ['and', 'or', 'xor']);
bool_op(_, _) -> false.
comp_op(Op, 2) -> lists:member(Op, ['==', '/=', '=<', '<', '>=', '>', '=:=', '=/=']);
comp_op(_, _) -> false.
list_op(Op, 2) -> Op =:= '++' orelse Op =:= '--';
list_op(_, _) -> false.
send_op(Op, N) -> Op =:= '!' andalso N =:= 2.
op_type(Op, N) ->
    Kinds = [K || {K, true} <- [{arith, arith_op(Op, N)}, {bool, bool_op(Op, N)}, {comp, comp_op(Op, N)}, {list, list_op(Op, N)}, {send, send_op(Op, N)}]],
    case Kinds of
        [K | _] -> K;
        [] -> error(function_clause)
    end.
