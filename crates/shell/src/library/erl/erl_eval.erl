%% erl_eval: bindings.
-module(erl_eval).
-export([new_bindings/0, bindings/1, binding/2, add_binding/3, del_binding/2,
         expr_list/2, expr_list/3, expr_list/4, expr/5, is_constant_expr/1, fun_data/1, extended_parse_exprs/1]).

new_bindings() -> [].
bindings(Bs) when is_map(Bs) -> maps:to_list(Bs);
bindings(Bs) -> Bs.
binding(N, Bs) ->
    case lists:keyfind(N, 1, bindings(Bs)) of
        {_, V} -> {value, V};
        false -> unbound
    end.
add_binding(N, V, Bs) when is_map(Bs) -> Bs#{N => V};
add_binding(N, V, Bs) -> orddict:store(N, V, Bs).
del_binding(N, Bs) when is_map(Bs) -> maps:remove(N, Bs);
del_binding(N, Bs) -> orddict:erase(N, Bs).

expr_list(Es, Bs) -> expr_list(Es, Bs, none).
expr_list(Es, Bs, Lf) -> expr_list(Es, Bs, Lf, none).
%% Each sees what was bound before all of them; what they bind is put together.
expr_list(Es, Bs, Lf, Ef) ->
    Done = [erl_eval:expr(E, Bs, Lf, Ef) || E <- Es],
    {[V || {value, V, _} <- Done], joined([B || {value, _, New} <- Done, B <- bindings(New)], Bs)}.
joined([{Name, V} | Rest], Bs) -> joined(Rest, add_binding(Name, V, Bs));
joined([], Bs) -> Bs.

expr(E, Bs, Lf, Ef, none) -> erl_eval:expr(E, Bs, Lf, Ef);
expr(E, Bs, Lf, Ef, value) ->
    {value, V, _} = erl_eval:expr(E, Bs, Lf, Ef),
    V.

is_constant_expr({tuple, _, _}) -> false;
is_constant_expr(E) ->
    try erl_parse:normalise(E) of
        _ -> true
    catch
        error:_ -> false
    end.

%% What a fun that was typed is made of.
fun_data(F) when is_function(F) ->
    case {erlang:fun_info(F, module), erlang:fun_info(F, env)} of
        {{module, erl_eval}, {env, [{_, Bs, _, _, _, Cs}]}} -> {fun_data, Bs, Cs};
        {{module, erl_eval}, {env, [{_, Bs, _, _, _, Cs, Name}]}} -> {named_fun_data, Bs, Name, Cs};
        _ -> false
    end;
fun_data(_) -> false.

extended_parse_exprs(Tokens) -> erl_parse:parse_exprs(Tokens).
