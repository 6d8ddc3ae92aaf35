raise SystemExit("a file beside the solution was imported")
