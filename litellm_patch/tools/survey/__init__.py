"""Find out which LiteLLM a proxy started here would import, with the patch or not, and why.

Each answer comes from a child process that starts as the proxy would, so it tells what the
interpreter really does.
"""
