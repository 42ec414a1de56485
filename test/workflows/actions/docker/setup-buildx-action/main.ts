import { info } from '@actions/core'

info('docker is a stand-in, whose builder is there already')
