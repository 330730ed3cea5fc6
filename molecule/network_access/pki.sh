#!/bin/sh
# Makes what the scenario's hosts are given, in FOLDER: the hospital's authority and a foreign one, the server's certificate,
# and those of supplicants. FOLDER/secrets.json holds a secret for each network device. Usage: pki.sh FOLDER NETWORK_DEVICE...
set -eu
umask 077
folder=$1
shift
mkdir -p "$folder"
cd "$folder"

authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
        -addext keyUsage=critical,keyCertSign,cRLSign -keyout "$1.key" -out "$1.crt"
}

# certificate FILE NAME AUTHORITY USE
certificate() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -addext "subjectAltName=DNS:$2" \
        -addext "extendedKeyUsage=$4" -keyout "$1.key" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -copy_extensions copy -CA "$3.crt" -CAkey "$3.key" -CAcreateserial -days 2 -out "$1.crt"
}

authority ca
authority foreign
certificate host radius.st-test.internal ca serverAuth,clientAuth
certificate mr01 mr01.st-test.internal ca clientAuth
certificate vent01 vent01.st-test.internal ca clientAuth
certificate undeclared undeclared.st-test.internal ca clientAuth
certificate forged mr01.st-test.internal foreign clientAuth
certificate server_only mr01.st-test.internal ca serverAuth
rm -f -- *.csr *.srl
tar -cf ../supplicants.tar ca.crt mr01.* vent01.* undeclared.* forged.* server_only.*

for name; do
    printf '"%s": "%s"\n' "$name" "$(openssl rand -base64 24)"
done | paste -sd, | sed 's/.*/{&}/' > secrets.json
