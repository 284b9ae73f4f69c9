"""``python -m nextword`` is the command ``nextword``."""

from nextword.cli import main

if __name__ == "__main__":
    main()
