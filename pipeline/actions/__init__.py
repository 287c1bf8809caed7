"""One kind of playbook step a file: its arguments in, an outcome out."""
