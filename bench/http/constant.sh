#!/bin/sh
# nginx or H2O, which answer a constant in one process with one thread. What they log goes to stderr.
#
#	constant.sh nginx|h2o PORT
set -eu

server=$1 port=$2
mkdir -p "$(dirname "$0")/../../build/bench-peers/$server"
folder=$(cd "$(dirname "$0")/../../build/bench-peers/$server" && pwd)
answer='{"status":"success"}'

case $server in
nginx)
	cat >"$folder/nginx.conf" <<END
daemon off;
master_process off;
error_log stderr error;
pid $folder/pid;
events { worker_connections 12000; }
http {
	access_log off;
	client_body_temp_path $folder;
	keepalive_requests 1000000000;
	keepalive_timeout 600;
	client_header_timeout 600;
	server {
		listen 127.0.0.1:$port backlog=4096;
		location = /event {
			default_type application/json;
			return 200 '$answer';
		}
	}
}
END
	exec nginx -c "$folder/nginx.conf" -p "$folder"
	;;
h2o)
	cat >"$folder/h2o.conf" <<END
listen:
  host: 127.0.0.1
  port: $port
user: $(id -un)
num-threads: 1
max-connections: 12000
http1-request-timeout: 600
hosts:
  default:
    paths:
      /event:
        mruby.handler: |
          answer = [200, {"content-type" => "application/json"}, ['$answer']]
          Proc.new { |request| answer }
END
	exec h2o -m worker -c "$folder/h2o.conf"
	;;
esac
