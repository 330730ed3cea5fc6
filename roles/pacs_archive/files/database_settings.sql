SELECT name || ' is ' || setting FROM pg_settings
  WHERE (name = 'listen_addresses' AND setting <> '')
     OR (name = 'hba_file' AND setting !~ '^/etc/postgresql/[0-9]+/main/pg_hba[.]conf$')
     OR (name = 'password_encryption' AND setting <> 'scram-sha-256')
     OR (name = 'log_destination' AND setting <> 'syslog')
     OR (name = 'log_min_error_statement' AND setting <> 'panic')
     OR (name = 'log_error_verbosity' AND setting <> 'terse')
     OR (name IN ('fsync', 'full_page_writes', 'log_connections') AND setting <> 'on')
     OR pending_restart
UNION ALL
SELECT 'pg_hba.conf line ' || line_number || ': ' || error FROM pg_hba_file_rules WHERE error IS NOT NULL
UNION ALL
SELECT 'pg_hba.conf was written after it was read'
  WHERE (pg_stat_file(current_setting('hba_file'))).modification > pg_conf_load_time()
