#!/usr/bin/env python3
"""Export a Hugging Face model: `python scripts/export/export_model.py <folder-or-id> <out>`; --help says more."""

import sys

from exporter.command_line import main

if __name__ == "__main__":
    sys.exit(main())
