%% The rows of one node by itself.
-module(bench_local).
-behaviour(gen_server).
-export([spawn_exit/1, idle_memory/1, send_1_to_1/1, send_4_to_1/1, ring_1/1, ring_100/1,
         call/1, clients_100/1, reply_behind_unread/1, node_memory/1]).
-export([init/1, handle_call/3, handle_cast/2]).
-import(bench_row, [print/3, took/1, rate/2, percentile/2, batches/3]).

%% Size processes that end at once; the last one says so.
spawn_exit(Size) ->
    spawn_exit_once(Size div 10),
    S = took(fun() -> spawn_exit_once(Size) end),
    print(spawn_exit, rate(Size, S), "proc/s").

spawn_exit_once(Size) ->
    Me = self(),
    Left = atomics:new(1, []),
    atomics:put(Left, 1, Size),
    Body = fun() -> case atomics:sub_get(Left, 1, 1) of 0 -> Me ! all_gone; _ -> ok end end,
    spawn_many(Size, Body),
    receive all_gone -> ok end.

spawn_many(0, _) -> ok;
spawn_many(N, Body) -> spawn(Body), spawn_many(N - 1, Body).

%% Resident memory that Size waiting processes add, each.
idle_memory(Size) ->
    Before = bench_row:rss_bytes("self"),
    Me = self(),
    Pids = [spawn(fun() -> Me ! up, receive stop -> ok end end) || _ <- lists:seq(1, Size)],
    count(up, Size),
    After = bench_row:rss_bytes("self"),
    print(idle_memory, (After - Before) / Size, "bytes"),
    hd(Pids) ! stop.

%% Messages {ping, I, Pid} from some processes to one that counts them.
send_1_to_1(Size) ->
    flood(1, Size div 10),
    print(send_1_to_1, rate(Size, flood(1, Size)), "msg/s").

send_4_to_1(Size) ->
    flood(4, Size div 10),
    print(send_4_to_1, rate(Size, flood(4, Size)), "msg/s").

flood(Senders, Size) ->
    Me = self(),
    Each = Size div Senders,
    Sink = spawn(fun() -> count_pings(Each * Senders), Me ! counted end),
    took(fun() ->
        [spawn(fun() -> send_pings(Each, Sink) end) || _ <- lists:seq(1, Senders)],
        receive counted -> ok end
    end).

send_pings(0, _) -> ok;
send_pings(N, To) -> To ! {ping, N, self()}, send_pings(N - 1, To).

count_pings(0) -> ok;
count_pings(N) -> receive {ping, _, _} -> count_pings(N - 1) end.

%% A ring of 1,000 processes; each token makes its share of Size hops.
ring_1(Size) -> print(ring_1, rate(Size, ring(1, Size)), "hops/s").
ring_100(Size) -> print(ring_100, rate(Size, ring(100, Size)), "hops/s").

ring(Tokens, Size) ->
    Me = self(),
    First = spawn(fun() -> receive {next, Next} -> pass_on(Next, Me) end end),
    Last = lists:foldl(fun(_, Next) -> spawn(fun() -> pass_on(Next, Me) end) end, First, lists:seq(2, 1000)),
    First ! {next, Last},
    Hops = Size div Tokens,
    S = took(fun() ->
        start_tokens(Tokens, Last, Hops),
        count(token_done, Tokens)
    end),
    Last ! stop,
    S.

%% Tokens start spread over the ring: each at the same door, one behind the other.
start_tokens(0, _, _) -> ok;
start_tokens(N, At, Hops) -> At ! {token, Hops}, start_tokens(N - 1, At, Hops).

pass_on(Next, Main) ->
    receive
        {token, 0} -> Main ! token_done, pass_on(Next, Main);
        {token, Hops} -> Next ! {token, Hops - 1}, pass_on(Next, Main);
        stop -> Next ! stop
    end.

%% gen_server:call, one after the other.
call(Size) ->
    {ok, Server} = gen_server:start(?MODULE, 0, []),
    Ask = fun() -> gen_server:call(Server, get) end,
    batches(Size div 10, 100, Ask),
    print(call_p50, percentile(batches(Size, 100, Ask), 50), "us").

clients_100(Size) ->
    {ok, Server} = gen_server:start(?MODULE, 0, []),
    clients(Server, Size div 10),
    print(clients_100, rate(Size, clients(Server, Size)), "calls/s").

clients(Server, Size) ->
    Me = self(),
    Each = Size div 100,
    took(fun() ->
        [spawn(fun() -> ask_many(Each, Server), Me ! client_done end) || _ <- lists:seq(1, 100)],
        count(client_done, 100)
    end).

ask_many(0, _) -> ok;
ask_many(N, Server) -> gen_server:call(Server, get), ask_many(N - 1, Server).

%% What a call costs a process with Size unread messages, over what it costs one with none.
reply_behind_unread(Size) ->
    {ok, Server} = gen_server:start(?MODULE, 0, []),
    Me = self(),
    Measure = fun(Unread) ->
        spawn(fun() ->
            send_pings(Unread, self()),
            Ask = fun() -> gen_server:call(Server, get) end,
            batches(1000, 100, Ask),
            Me ! {measured, percentile(batches(20000, 100, Ask), 50)}
        end),
        receive {measured, Us} -> Us end
    end,
    Empty = Measure(0),
    Full = Measure(Size),
    print(reply_behind_unread, Full / Empty, "x").

%% Resident memory of a node that has just started.
node_memory(_) ->
    timer:sleep(500),
    print(node_memory, bench_row:rss_bytes("self") / 1048576, "MiB").

count(_, 0) -> ok;
count(What, N) -> receive What -> count(What, N - 1) end.

init(N) -> {ok, N}.
handle_call(get, _, N) -> {reply, N, N};
handle_call({add, K}, _, N) -> {reply, N + K, N + K}.
handle_cast(_, N) -> {noreply, N}.
