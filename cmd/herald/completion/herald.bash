# Completion of herald(1) for bash. tests/cmd/manual.py compares it with the tool.

_herald() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local options="" values="" dead="list show replay drop"

	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "listen send sign verify validate generate dashboard schema explain top tail store broker --help --version" -- "$current")
		return
	fi
	case $previous in
	--verdict) values="done retry fail rejected accepted duplicate ignored" ;;
	--format) values="any cloudevents herald webhook" ;;
	--cloudevents) values="structured binary batch" ;;
	--scheme) values="standard-webhooks github stripe slack shopify paddle twilio gitlab" ;;
	--reason) [[ ${COMP_WORDS[1]} == broker ]] && return ;;&
	--reason) values="failed attempts interrupted undecodable no_route refused expired" ;;
	--draft) values="7 2020-12" ;;
	--kind) values="events deliveries both" ;;
	--store) values="sqlite: postgres://" ;;
	--save | --out)
		mapfile -t COMPREPLY < <(compgen -d -- "$current")
		return
		;;
	--url) [[ ${COMP_WORDS[1]} == broker ]] && values="amqp:// amqps:// kafka:// nats:// redis:// rediss:// tls://" ;;
	--schema | --from) [[ ${COMP_WORDS[1]} == @(store|broker) ]] && return ;;&
	--headers | --schema | --from | --tls-ca | --tls-certificate | --tls-key)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	dead) values=$dead ;;
	esac
	if [[ -n $values ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current")
		return
	fi
	case ${COMP_WORDS[1]} in
	listen) options="--port --address --json --format --type-from --id-from --secret --scheme --url --now --save --answer --max-bytes --allow-origin --allow-rate --help" ;;
	send) options="--type --source --id --data --subject --version --time --extension --content-type --cloudevents --webhook --batch-count --header --secret --scheme --count --rate --connections --tls-ca --timeout-ms --help" ;;
	sign) options="--secret --scheme --id --timestamp --url --content-type --help" ;;
	verify) options="--secret --scheme --header --headers --now --url --help" ;;
	validate) options="--schema --message --draft --max-steps --formats --help" ;;
	generate) options="--from --out --name --samples --schema --draft --max-steps --help" ;;
	dashboard) options="--store --schema --pooled --token --port --host --read-only --help" ;;
	schema) options="--type --version --draft --token --tls-ca --timeout-ms --max-bytes --help" ;;
	explain) options="--type --json --token --tls-ca --timeout-ms --max-bytes --help" ;;
	top) options="--interval-ms --count --json --token --tls-ca --timeout-ms --max-bytes --help" ;;
	tail) options="--type --verdict --count --interval-ms --json --token --tls-ca --timeout-ms --max-bytes --help" ;;
	store)
		options="status dead purge check migrate sql --store --schema --pooled --json --all --dry-run --rate --limit"
		options+=" --id --after-id --queue --type --source --event-id --destination --reason"
		options+=" --kind --from --to --created-before --deliveries"
		;;
	broker) options="dead --url --tls-ca --tls-certificate --tls-key --source --json --id --event-id --type --reason --status --from --to --limit --all --dry-run --rate --target --help" ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
	if [[ ${COMP_WORDS[1]} == @(sign|verify|validate) && $current != -* ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	fi
}

complete -o default -F _herald herald
