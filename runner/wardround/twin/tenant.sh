#!/bin/sh
# Makes a Debian host a real ERP: Tryton with parties and products on PostgreSQL, behind nginx that demands a certificate of its callers.
# Usage: tenant.sh FOLDER PORT. FOLDER holds tenant.crt, tenant.key and callers.crt, the authority that issues the callers' certificates. The
# database is called erp; the password of its account admin is made here and written to FOLDER/password.
set -eu
folder=$1 port=$2
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
cd /

# Nothing starts as it comes: nginx would answer everybody, with pages of its own.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d
apt-get install --yes --quiet --no-install-recommends \
    nginx openssl postgresql python3-psycopg2 tryton-modules-party tryton-modules-product tryton-server
rm /usr/sbin/policy-rc.d
systemctl daemon-reload

cluster=$(pg_lsclusters --no-header | awk '{ print $1 "-" $2; exit }')
systemctl start "postgresql@$cluster"
runuser -u postgres -- createuser tryton
runuser -u postgres -- createdb --owner tryton --encoding UTF8 --template template0 erp

cat >/etc/tryton/trytond.conf <<END
[database]
uri = postgresql:///
[web]
listen = 127.0.0.1:8000
END
(umask 077 && openssl rand -hex 16 >"$folder/password")
install -o tryton -m 0400 "$folder/password" /var/lib/tryton/password
runuser -u tryton -- env TRYTONPASSFILE=/var/lib/tryton/password trytond-admin --config /etc/tryton/trytond.conf --database erp \
    --update party product --activate-dependencies --email admin@erp.example
systemctl --quiet enable --now tryton-server

cat >"$folder/front.conf" <<END
user www-data;
pid /run/erp-front.pid;
events {}
http {
    access_log off;
    server {
        listen $port ssl;
        ssl_certificate $folder/tenant.crt;
        ssl_certificate_key $folder/tenant.key;
        ssl_client_certificate $folder/callers.crt;
        ssl_verify_client on;
        location / {
            proxy_pass http://127.0.0.1:8000;
            proxy_set_header Host \$host;
        }
    }
}
END
cat >/etc/systemd/system/erp-front.service <<END
[Unit]
Description=Front of the ERP
After=network.target

[Service]
ExecStart=/usr/sbin/nginx -e stderr -c $folder/front.conf -g 'daemon off;'
ExecReload=/bin/kill -HUP \$MAINPID

[Install]
WantedBy=multi-user.target
END
systemctl daemon-reload
systemctl --quiet enable --now erp-front

for place in 8000 "$port"; do
    seconds=0
    until nc -z 127.0.0.1 "$place"; do
        seconds=$((seconds + 1))
        [ "$seconds" -le 60 ] || { echo "nothing answers at port $place" >&2; exit 1; }
        sleep 1
    done
done
