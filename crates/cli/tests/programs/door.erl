%% A gen_statem: a door with a code, in both callback modes, with every kind of timeout and event.
-module(door).
-behaviour(gen_statem).
-export([main/0, callback_mode/0, init/1, terminate/3, locked/3, open/3, handle_event/4]).

main() ->
    process_flag(trap_exit, true),
    put(mode, functions),
    {ok, Pid} = gen_statem:start_link({local, door}, ?MODULE, {functions, [1, 2]}, []),
    say(wrong, gen_statem:call(door, {button, 7})),
    say(first, gen_statem:call(door, {button, 1})),
    say(second, gen_statem:call(door, {button, 2})),
    say(state, sys:get_state(door)),
    say(postponed, gen_statem:call(door, {when_locked, hello}, 2000)),
    say(cast, gen_statem:cast(door, {note, self()})),
    say(noted, receive {noted, State} -> State after 1000 -> late end),
    door ! {info, self()},
    say(info, receive {informed, State1} -> State1 after 1000 -> late end),
    say(next, gen_statem:call(door, insert)),
    say(generic, gen_statem:call(door, generic, 1000)),
    say(event_timeout, gen_statem:call(door, event_timeout, 1000)),
    Id = gen_statem:send_request(door, {button, 9}),
    say(request, gen_statem:receive_response(Id, 1000)),
    say(late, element(1, element(2, catch gen_statem:call(door, never, 20)))),
    say(stop, gen_statem:stop(door)),
    exits(Pid),
    {ok, Other} = gen_statem:start_link(?MODULE, {events, []}, []),
    say(events, gen_statem:call(Other, {go, red})),
    say(events, gen_statem:call(Other, {go, green})),
    say(keep, gen_statem:call(Other, keep)),
    say(stop_reply, gen_statem:call(Other, stop)),
    exits(Other),
    [begin
         {ok, It} = gen_statem:start(?MODULE, {events, []}, []),
         Ref = monitor(process, It),
         say(How, trim(catch gen_statem:call(It, How, 1000))),
         receive {'DOWN', Ref, process, It, Why} -> say(down, trim(Why)) after 1000 -> say(down, late) end
     end || How <- [crash, bad_return, exits, throws]],
    say(init, [gen_statem:start(?MODULE, How, []) || How <- [ignore, {stop, no}]]),
    % The logger of OTP has its say.
    timer:sleep(100).

say(What, Value) -> io:format("~p: ~p~n", [What, Value]).

exits(Pid) ->
    receive {'EXIT', Pid, Reason} -> say(exit, trim(Reason)) after 1000 -> say(exit, late) end.

trim({'EXIT', {Reason, {gen_statem, call, _}}}) -> {exit, trim(Reason)};
trim({Reason, [{_, _, _, _} | _]}) -> {Reason, stack};
trim(Reason) -> Reason.

callback_mode() ->
    case get(mode) of
        events -> [handle_event_function, state_enter];
        _ -> [state_functions, state_enter]
    end.

init({Mode, Code}) ->
    put(mode, Mode),
    case Mode of
        functions -> {ok, locked, #{code => Code, left => Code}};
        events -> {ok, red, 0}
    end;
init(Other) -> Other.

locked(enter, Old, Data = #{code := Code}) ->
    io:format("enter locked from ~p~n", [Old]),
    {keep_state, Data#{left := Code}};
locked({call, From}, {button, B}, Data = #{left := [B]}) ->
    {next_state, open, Data, [{reply, From, opens}, {state_timeout, 100, lock}]};
locked({call, From}, {button, B}, Data = #{left := [B | Left]}) ->
    {keep_state, Data#{left := Left}, {reply, From, good}};
locked({call, From}, {button, _}, Data = #{code := Code}) ->
    {keep_state, Data#{left := Code}, [{reply, From, wrong}]};
locked({call, From}, {when_locked, What}, _) -> {keep_state_and_data, [{reply, From, {locked, What}}]};
locked(Type, Event, Data) -> common(Type, Event, locked, Data).

open(enter, Old, _) ->
    io:format("enter open from ~p~n", [Old]),
    keep_state_and_data;
open(state_timeout, lock, Data) ->
    io:format("closes~n"),
    {next_state, locked, Data};
open({call, _}, {when_locked, _}, _) -> {keep_state_and_data, postpone};
open(Type, Event, Data) -> common(Type, Event, open, Data).

common(cast, {note, To}, State, _) -> To ! {noted, State}, keep_state_and_data;
common(info, {info, To}, State, _) -> To ! {informed, State}, keep_state_and_data;
common({call, From}, insert, _, _) -> {keep_state_and_data, [{next_event, internal, {inserted, From}}]};
common(internal, {inserted, From}, _, _) -> {keep_state_and_data, [{reply, From, inserted}]};
common({call, From}, generic, _, Data) ->
    {keep_state, Data, [{{timeout, mine}, 20, From}, {{timeout, other}, 1000, never}]};
common({timeout, mine}, From, _, _) ->
    {keep_state_and_data, [{reply, From, mine}, {{timeout, other}, cancel}]};
common({call, From}, event_timeout, _, _) -> {keep_state_and_data, [{timeout, 10, From}]};
common(timeout, From, State, _) -> {keep_state_and_data, [{reply, From, {timeout_in, State}}]};
common({call, _}, never, _, _) -> keep_state_and_data.

handle_event(enter, Old, State, N) ->
    io:format("enter ~p from ~p~n", [State, Old]),
    {keep_state, N + 1};
handle_event({call, From}, {go, To}, State, N) -> {next_state, To, N, [{reply, From, {State, N}}]};
handle_event({call, From}, keep, State, N) -> {keep_state_and_data, {reply, From, {State, N}}};
handle_event({call, From}, stop, _, N) -> {stop_and_reply, normal, [{reply, From, bye}], N};
handle_event({call, _}, crash, _, N) -> N + a;
handle_event({call, _}, bad_return, _, _) -> nonsense;
handle_event({call, _}, exits, _, _) -> exit(gone);
handle_event({call, From}, throws, _, N) -> throw({stop_and_reply, normal, {reply, From, thrown}, N}).

terminate(Why, State, _) -> say(terminate, {trim(Why), State}).
