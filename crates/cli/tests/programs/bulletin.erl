%% A gen_event: handlers that come, hear, answer, are swapped, fail and go.
-module(bulletin).
-behaviour(gen_event).
-export([main/0, init/1, handle_event/2, handle_call/2, handle_info/2, terminate/2, code_change/3]).

main() ->
    process_flag(trap_exit, true),
    {ok, Pid} = gen_event:start_link({local, bulletin}),
    say(add, gen_event:add_handler(bulletin, ?MODULE, one)),
    say(add, gen_event:add_handler(bulletin, {?MODULE, two}, two)),
    say(again, gen_event:add_handler(bulletin, ?MODULE, one)),
    say(bad, gen_event:add_handler(bulletin, {?MODULE, x}, {refuse, why})),
    say(which, gen_event:which_handlers(bulletin)),
    say(notify, gen_event:notify(bulletin, hello)),
    say(sync, gen_event:sync_notify(bulletin, world)),
    say(call, gen_event:call(bulletin, ?MODULE, get)),
    say(call, gen_event:call(bulletin, {?MODULE, two}, get, 1000)),
    say(call, gen_event:call(bulletin, nobody, get)),
    bulletin ! by_hand,
    say(sync, gen_event:sync_notify(bulletin, next)),
    say(swap, gen_event:swap_handler(bulletin, {?MODULE, leaving}, {{?MODULE, three}, three})),
    say(which, lists:sort(gen_event:which_handlers(bulletin))),
    say(delete, gen_event:delete_handler(bulletin, {?MODULE, two}, by_me)),
    say(delete, gen_event:delete_handler(bulletin, {?MODULE, two}, by_me)),
    say(sup, gen_event:add_sup_handler(bulletin, {?MODULE, watched}, watched)),
    say(sync, gen_event:sync_notify(bulletin, {remove, watched})),
    say(gone, receive {gen_event_EXIT, Handler, Why} -> {Handler, Why} after 1000 -> late end),
    say(sup, gen_event:add_sup_handler(bulletin, {?MODULE, watched}, watched)),
    say(sync, gen_event:sync_notify(bulletin, {crash, watched})),
    say(gone, receive {gen_event_EXIT, Handler1, {'EXIT', {Why1, _}}} -> {Handler1, Why1} after 1000 -> late end),
    say(which, gen_event:which_handlers(bulletin)),
    say(stop, gen_event:stop(bulletin)),
    receive {'EXIT', Pid, Reason} -> say(exit, Reason) after 1000 -> say(exit, late) end,
    % The logger of OTP has its say.
    timer:sleep(100).

say(What, Value) -> io:format("~p: ~p~n", [What, Value]).

init({refuse, Why}) -> {error, Why};
init({Name, {left, With}}) -> {ok, {Name, [With]}};
init({Name, error}) -> {ok, {Name, [nobody_before]}};
init(Name) -> {ok, {Name, []}}.

handle_event({remove, Name}, {Name, _}) -> remove_handler;
handle_event({crash, Name}, {Name, _}) -> error(crashed);
handle_event(Event, {Name, Heard}) -> {ok, {Name, [Event | Heard]}}.

handle_call(get, State) -> {ok, State, State}.

handle_info(Info, {Name, Heard}) -> {ok, {Name, [{info, Info} | Heard]}}.

terminate(Why, {Name, _}) ->
    say(terminate, {Name, case Why of {error, {Error, _}} -> {error, Error}; _ -> Why end}),
    {left, Name}.

code_change(_, State, _) -> {ok, State}.
