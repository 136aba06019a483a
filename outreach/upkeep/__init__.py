"""Looking after a running installation: promises held against rows, copies, figures."""
