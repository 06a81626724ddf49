# What an Elixir program does with behaviours of a node of ours; each line is `name: value`.
[us] = System.argv() |> Enum.map(&String.to_atom/1)
say = fn name, value -> IO.puts("#{name}: #{inspect(value)}") end
true = Node.connect(us)
till = {:till, us}

say.("call", GenServer.call(till, {:add, 2}))
say.("cast", GenServer.cast(till, {:add, 5}))
say.("call_again", GenServer.call(till, :get))
say.("state", :sys.get_state(till))
say.("multi_call", GenServer.multi_call([us], :till, :get) == {[{us, 7}], []})
say.("reason", (try do GenServer.call(till, :crash) catch :exit, {{reason, [_place]}, _} -> reason end))
say.("noproc", (try do GenServer.call(till, :get) catch :exit, {reason, _} -> reason end))

pool = {:pool, us}
spec = %{id: :any, start: {:shop, :start, [1]}, restart: :temporary}
{:ok, child} = DynamicSupervisor.start_child(pool, spec)
say.("child", node(child) == us)
say.("children", DynamicSupervisor.which_children(pool) == [{:undefined, child, :worker, [:shop]}])
say.("count", DynamicSupervisor.count_children(pool).active)
say.("terminate", DynamicSupervisor.terminate_child(pool, child))
say.("shop", Supervisor.which_children({:shop_sup, us}) |> Enum.map(&elem(&1, 0)))
say.("counts", Supervisor.count_children({:shop_sup, us}).workers)

# And something for the node of ours to use.
defmodule Theirs do
  use GenServer
  def init(sum), do: {:ok, sum}
  def handle_call({:add, n}, _, sum), do: {:reply, sum + n, sum + n}
  def handle_call(:get, _, sum), do: {:reply, sum, sum}
  def handle_cast({:add, n}, sum), do: {:noreply, sum + n}
end

{:ok, _} = GenServer.start(Theirs, 40, name: :theirs)
{:ok, _} = DynamicSupervisor.start_link(strategy: :one_for_one, name: :their_pool)
say.("ours", GenServer.call({:asker, us}, {:use, node()}, 30_000))
