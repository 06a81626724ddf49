-module(market_stall).
-behaviour(gen_server).
-export([start_link/1, init/1, handle_call/3, handle_cast/2]).

start_link(Name) -> gen_server:start_link({local, Name}, ?MODULE, Name, []).

init(Name) -> {ok, {Name, 10}}.

handle_call({sell, N}, _, {Name, Left}) -> {reply, {Name, Left - N}, {Name, Left - N}};
handle_call(application, _, State) -> {reply, {application:get_application(), application:get_env(closes)}, State}.

handle_cast(_, State) -> {noreply, State}.
