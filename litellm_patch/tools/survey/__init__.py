"""What would happen if a proxy were started here: which LiteLLM, with the patch or not, and why.

Nothing is read back from files of our own. Each answer comes from a child process that starts
as the proxy would, so that what it says is what the interpreter does.
"""
