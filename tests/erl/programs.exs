# Programs of others against a node of ours: `programs.exs PROGRAM NODE ...`. Prints what is wrong, and `done`.
[program, us | more] = System.argv()
us = String.to_atom(us)

check = fn what, run, want ->
  got = try do
    run.()
  catch
    kind, reason -> {:raised, kind, reason}
  end

  fits = if is_function(want), do: want.(got), else: got === want
  unless fits, do: IO.puts("wrong: #{what}: #{inspect(got, limit: 20)}")
end

there? = fn what ->
  found = Code.ensure_loaded?(what)
  unless found, do: IO.puts("SKIPPED: no #{inspect(what)}")
  found
end

until = fn until, run, left ->
  cond do
    run.() -> true
    left == 0 -> false
    true ->
      Process.sleep(20)
      until.(until, run, left - 1)
  end
end

soon = fn run -> until.(until, run, 1000) end
hears = fn -> receive do: (message -> message), after: (10_000 -> :nothing) end

gone = fn ->
  Node.disconnect(us)
  soon.(fn -> us not in Node.list(:connected) end)
end

tell = fn
  "pubsub" ->
    if there?.(Phoenix.PubSub) do
      check.("ping", fn -> Node.ping(us) end, :pong)
      {:ok, _} = Supervisor.start_link([%{id: Phoenix.PubSub, start: {:pg, :start_link, [Phoenix.PubSub]}}], strategy: :one_for_one)
      {:ok, _} = Supervisor.start_link([{Phoenix.PubSub, name: Chat, pool_size: 1}], strategy: :one_for_one)
      check.("ours is a member", fn ->
        soon.(fn -> Enum.any?(:pg.get_members(Phoenix.PubSub, Chat.Adapter), &(node(&1) == us)) end)
      end, true)
      check.("theirs is seen by us", fn ->
        soon.(fn -> length(:erpc.call(us, :pg, :get_members, [Phoenix.PubSub, Chat.Adapter])) == 2 end)
      end, true)
      :ok = Phoenix.PubSub.subscribe(Chat, "room:lobby")
      check.("node_name", fn -> Phoenix.PubSub.node_name(Chat) end, node())
      check.("broadcast", fn -> {Phoenix.PubSub.broadcast(Chat, "room:lobby", "hello"), hears.(), hears.()} end,
        {:ok, "hello", %{heard: "hello"}})
      check.("broadcast_from", fn -> {Phoenix.PubSub.broadcast_from(Chat, self(), "room:lobby", {:a, 1}), hears.()} end,
        {:ok, %{heard: {:a, 1}}})
      check.("direct_broadcast", fn -> {Phoenix.PubSub.direct_broadcast(us, Chat, "room:lobby", %{b: 2}), hears.()} end,
        {:ok, %{heard: %{b: 2}}})
      check.("another topic", fn -> {Phoenix.PubSub.broadcast(Chat, "room:kitchen", "hello"), Phoenix.PubSub.direct_broadcast(us, Chat, "room:lobby", 3), hears.()} end,
        {:ok, :ok, %{heard: 3}})
      # The nodes part and meet again: members go and come.
      check.("parted", gone, true)
      check.("no member", fn -> soon.(fn -> length(:pg.get_members(Phoenix.PubSub, Chat.Adapter)) == 1 end) end, true)
      check.("ping again", fn -> Node.ping(us) end, :pong)
      check.("a member again", fn -> soon.(fn -> length(:pg.get_members(Phoenix.PubSub, Chat.Adapter)) == 2 end) end, true)
      check.("broadcast again", fn -> {Phoenix.PubSub.broadcast_from(Chat, self(), "room:lobby", 4), hears.()} end, {:ok, %{heard: 4}})
    end

  "libcluster" ->
    if there?.(Cluster.Supervisor) do
      [port] = more
      defmodule :telemetry do
        def execute(_, _, _), do: :ok
      end

      strategy = fn name, strategy, config ->
        check.("parted before #{name}", gone, true)
        {:ok, supervisor} = Cluster.Supervisor.start_link([[story: [strategy: strategy, config: config]], [name: Story]])
        check.(name, fn -> soon.(fn -> us in Node.list() end) end, true)
        check.("#{name} lasts", fn -> Node.ping(us) end, :pong)
        Supervisor.stop(supervisor)
      end

      strategy.("Epmd", Cluster.Strategy.Epmd, hosts: [us, :"nobody@localhost"])
      strategy.("LocalEpmd", Cluster.Strategy.LocalEpmd, [])
      folder = Path.join(System.tmp_dir!(), "trunkline_hosts_#{System.pid()}")
      File.mkdir_p!(folder)
      File.write!(Path.join(folder, ".hosts.erlang"), "localhost.\n")
      File.cd!(folder, fn -> strategy.("ErlangHosts", Cluster.Strategy.ErlangHosts, timeout: 100) end)
      File.rm_rf!(folder)
      strategy.("Gossip", Cluster.Strategy.Gossip,
        port: String.to_integer(port), if_addr: "127.0.0.1", multicast_addr: "127.0.0.2", broadcast_only: true)
    end

  "recon" ->
    if there?.(:recon) do
      check.("ping", fn -> Node.ping(us) end, :pong)
      # Funs of theirs do not run here, and their modules are not loaded: both are said at once.
      check.("rpc", fn -> :recon.rpc([us, node()], fn -> 1 end, 2000) end, &match?({[{:badrpc, {:EXIT, {{:badfun, _}, _}}}, 1], []}, &1))
      check.("rpc of what is here", fn -> :recon.rpc(us, &:erlang.node/0, 2000) end, {[us], []})
      check.("named_rpc", fn -> :recon.named_rpc(us, fn -> node() end, 2000) end, &match?({[{:badrpc, {:EXIT, {{:badfun, _}, _}}}], []}, &1))
      check.("remote_load", fn -> :recon.remote_load([us], :recon_lib) end, {[{:error, :badfile}], []})
      if there?.(:observer_cli) do
        check.("observer_cli", fn -> :observer_cli.start(us, cookie: Node.get_cookie(), interval: 100) end,
          &match?({:badrpc, {:EXIT, {:undef, _}}}, &1))
      end

      check.("ping after it", fn -> Node.ping(us) end, :pong)
    end
end

tell.(program)
IO.puts("done")
