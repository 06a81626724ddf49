# What Elixir programs do with other nodes, done with a node of ours. Prints what is wrong, and `done`.
defmodule Story do
  # Not where the reference is made: the compiler of OTP 25.2 breaks down over that.
  def down(ref) do
    receive do: ({:DOWN, ^ref, :process, _, reason} -> reason)
  end
end

us = String.to_atom(hd(System.argv()))

check = fn what, run, want ->
  task = Task.async(fn ->
    try do
      run.()
    catch
      kind, reason -> {:raised, kind, reason}
    end
  end)

  got = case Task.yield(task, 20_000) || Task.shutdown(task, :brutal_kill) do
    {:ok, value} -> value
    other -> {:hangs, other}
  end

  fits = if is_function(want), do: want.(got), else: got === want
  unless fits, do: IO.puts("wrong: #{what}: #{inspect(got)}")
end

# Node
check.("ping", fn -> Node.ping(us) end, :pong)
check.("connect", fn -> Node.connect(us) end, true)
check.("list", fn -> us in Node.list() end, true)
check.("list of kinds", fn -> us in Node.list(:connected) end, true)

check.("spawn", fn ->
  me = self()
  Node.spawn(us, :erlang, :send, [me, :hello])
  receive do: (:hello -> :got)
end, :got)

check.("spawn_link", fn ->
  Process.flag(:trap_exit, true)
  pid = Node.spawn_link(us, :erlang, :exit, [:bye])
  receive do: ({:EXIT, ^pid, reason} -> reason)
end, :bye)

check.("spawn_monitor", fn ->
  {_, ref} = Node.spawn_monitor(us, :erlang, :exit, [:bye])
  Story.down(ref)
end, :bye)

check.("spawn of a fun", fn ->
  {_, ref} = Node.spawn_monitor(us, fn -> :never end)
  Story.down(ref)
end, fn got -> match?({:badfun, fun} when is_function(fun), got) or match?({{:badfun, _}, _}, got) end)

check.("monitor", fn ->
  Story.down(Process.monitor({:nobody_at_all, us}))
end, :noproc)

# GenServer, to a process that speaks its protocol.
check.("GenServer.call", fn -> GenServer.call({:counter, us}, {:add, 3}) end, 3)
check.("GenServer.cast", fn -> GenServer.cast({:counter, us}, {:add, 4}) end, :ok)
check.("and again", fn -> GenServer.call({:counter, us}, {:add, 0}) end, 7)
check.("GenServer.call in time", fn -> GenServer.call({:counter, us}, :never, 50) end,
  fn got -> match?({:raised, :exit, {:timeout, {GenServer, :call, _}}}, got) end)
check.("GenServer.call to nobody", fn -> GenServer.call({:nobody_at_all, us}, :hello) end,
  fn got -> match?({:raised, :exit, {:noproc, {GenServer, :call, _}}}, got) end)
check.("GenServer.multi_call", fn -> GenServer.multi_call([us], :counter, {:add, 0}) end, {[{us, 7}], []})
check.("GenServer.abcast", fn -> GenServer.abcast([us], :counter, {:add, 1}) end, :abcast)
check.("GenServer.whereis", fn -> GenServer.whereis({:counter, us}) end, {:counter, us})
check.("Process.send", fn -> Process.send({:counter, us}, :junk, [:noconnect]) end, :ok)
check.("Supervisor.which_children", fn -> Supervisor.which_children({:kernel_sup, us}) end,
  fn got -> is_list(got) and List.keymember?(got, :rex, 0) end)
check.("Supervisor.count_children", fn -> Supervisor.count_children({:kernel_sup, us}) end,
  fn got -> match?(%{active: active, workers: active} when active > 5, got) end)

# :erpc, :rpc
check.(":erpc.call", fn -> :erpc.call(us, :lists, :reverse, [[1, 2]]) end, [2, 1])
check.(":erpc.call that raises", fn -> :erpc.call(us, :maps, :get, [:a, %{}]) end,
  fn got -> match?({:raised, :error, {:exception, {:badkey, :a}, [_ | _]}}, got) end)
check.(":erpc.call of a fun", fn -> :erpc.call(us, fn -> 1 end) end,
  fn got -> match?({:raised, :error, {:exception, {:badfun, _}, _}}, got) end)
check.(":erpc.multicall", fn -> :erpc.multicall([us, node()], :erlang, :node, []) end, ok: us, ok: node())
check.(":rpc.call", fn -> :rpc.call(us, :erlang, :node, []) end, us)
check.(":rpc.call of Elixir's", fn -> :rpc.call(us, String, :upcase, ["a"]) end,
  {:badrpc, {:EXIT, {:undef, [{String, :upcase, ["a"], []}]}}})
check.(":rpc.multicall", fn -> :rpc.multicall([us], :erlang, :abs, [-1]) end, {[1], []})

# Task.Supervisor: an anonymous function cannot run there, and who waits is told so.
{:ok, tasks} = Task.Supervisor.start_link()
check.("Task.Supervisor that is not there", fn ->
  Task.Supervisor.async_nolink({:nobody_at_all, us}, fn -> :never end) |> Task.await(5_000)
end, fn got -> match?({:raised, :exit, {:noproc, _}}, got) end)
check.("Task.Supervisor that is none", fn ->
  Task.Supervisor.async_nolink({:kernel_sup, us}, fn -> :never end) |> Task.await(5_000)
end, fn got -> match?({:raised, _, _}, got) end)
check.("a task that calls there", fn ->
  Task.Supervisor.async_nolink(tasks, :erpc, :call, [us, :erlang, :node, []]) |> Task.await(5_000)
end, us)

# :global, :pg
check.(":global", fn ->
  :yes = :global.register_name(:from_elixir, self())
  found = :erpc.call(us, :global, :whereis_name, [:from_elixir]) == self()
  :global.unregister_name(:from_elixir)
  found
end, true)
check.(":global of theirs", fn ->
  counter = :erpc.call(us, :erlang, :whereis, [:counter])
  :yes = :erpc.call(us, :global, :register_name, [:theirs, counter])
  GenServer.call({:global, :theirs}, {:add, 0})
end, 8)

# What Phoenix.PubSub's adapter sends: {:forward_to_local, topic, message, dispatcher}, for a broadcast to the members of its
# group in a scope of its own, for a direct_broadcast to the group's name on one node.
{:ok, _} = :pg.start_link(Phoenix.PubSub)
group = Chat.Adapter
:ok = :pg.join(Phoenix.PubSub, group, self())

await = fn await, left ->
  members = :pg.get_members(Phoenix.PubSub, group)
  cond do
    Enum.any?(members, &(node(&1) == us)) -> members
    left == 0 -> members
    true ->
      Process.sleep(20)
      await.(await, left - 1)
  end
end

members = await.(await, 500)
check.("members of both nodes", fn -> members |> Enum.map(&node/1) |> Enum.sort() end, Enum.sort([us, node()]))
told = {:forward_to_local, "room:lobby", %{event: "hello", payload: %{n: 1}}, Phoenix.PubSub}
heard = fn ->
  receive do
    {:forward_to_local, "room:lobby", %{heard: %{event: "hello", payload: %{n: 1}}}, Phoenix.PubSub} -> true
  after
    20_000 -> false
  end
end

for pid <- members, node(pid) != node(), do: send(pid, told)
broadcast = heard.()
check.("broadcast there and back", fn -> broadcast end, true)
send({group, us}, told)
direct = heard.()
check.("direct_broadcast there, and a broadcast back", fn -> direct end, true)

# libcluster's strategies: Epmd connects by name, LocalEpmd and ErlangHosts ask the EPMD.
local = fn {:ok, names} -> for {name, _} <- names, do: List.to_atom(name ++ '@localhost') end
check.("erl_epmd:names", fn -> us in local.(:erl_epmd.names()) end, true)
check.("net_adm:names", fn -> us in local.(:net_adm.names(:localhost)) end, true)
check.("connect_node", fn -> :net_kernel.connect_node(us) end, true)
check.("nodes(connected)", fn -> us in :erlang.nodes(:connected) end, true)

# Node.monitor, Node.disconnect
Node.monitor(us, true)
check.("disconnect", fn -> Node.disconnect(us) end, true)
nodedown = receive do
  {:nodedown, ^us} -> :down
after
  20_000 -> :up
end

check.("nodedown", fn -> nodedown end, :down)
check.("and again", fn -> Node.ping(us) end, :pong)
IO.puts("done")
