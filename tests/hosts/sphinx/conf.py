project = "Queues"
extensions = ["agent_chaos_embed"]
agent_chaos_site = "PLAYGROUND"
html_theme = "furo"
