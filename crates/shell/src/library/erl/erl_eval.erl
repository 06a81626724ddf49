%% erl_eval: bindings.
-module(erl_eval).
-export([new_bindings/0, bindings/1, binding/2, add_binding/3, del_binding/2]).

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
