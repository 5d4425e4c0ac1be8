"""The Collections dock: plots in, jobs started, followed and resumed."""
