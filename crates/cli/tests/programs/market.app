{application, market,
 [{description, "a market with two stalls"},
  {vsn, "1.2"},
  {modules, [market, market_stall]},
  {registered, [market_sup, fruit_sup, bread_sup]},
  {applications, [kernel, stdlib]},
  {env, [{opens, 8}, {closes, 18}]},
  {start_phases, [{open, [early]}]},
  {mod, {market, [fruit, bread]}}]}.
