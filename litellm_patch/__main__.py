"""``python -m litellm_patch``."""

from .tools.cli.main import main

raise SystemExit(main())
