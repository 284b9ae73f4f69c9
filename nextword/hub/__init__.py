"""Model folders to and from the Hugging Face Hub, or a directory that serves as one."""
