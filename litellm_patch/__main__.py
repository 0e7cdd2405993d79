"""``python -m litellm_patch``."""

from .cli.main import main

raise SystemExit(main())
