"""What every command needs: errors and exit codes, signals, log, retries."""
