// Type checks only: values of our types fit where the official package's are expected, and its arguments fit ours.
import type * as official from "@azure/web-pubsub-client";
import * as ours from "webpubsub-client";

/** Public members of a class. */
type Public<T> = { [K in keyof T]: T[K] };

export const client: Public<official.WebPubSubClient> = new ours.WebPubSubClient("wss://h/client/hubs/x");
export const writer = (given: ours.GroupStreamWriter): official.GroupStreamWriter => given;
export const stream = (given: ours.GroupStream): official.GroupStream => given;
export const subscription = (given: ours.GroupStreamSubscription): official.GroupStreamSubscription => given;
export const results: [official.WebPubSubResult, official.InvokeEventResult] = null! as [
  ours.WebPubSubResult,
  ours.InvokeEventResult,
];
export const errors: [Public<official.SendMessageError>, Public<official.InvocationError>] = null! as [
  ours.SendMessageError,
  ours.InvocationError,
];
export const events: [
  official.OnConnectedArgs,
  official.OnDisconnectedArgs,
  official.OnGroupDataMessageArgs,
  official.OnServerDataMessageArgs,
  official.OnRejoinGroupFailedArgs,
  official.OnStoppedArgs,
] = null! as [
  ours.OnConnectedArgs,
  ours.OnDisconnectedArgs,
  ours.OnGroupDataMessageArgs,
  ours.OnServerDataMessageArgs,
  ours.OnRejoinGroupFailedArgs,
  ours.OnStoppedArgs,
];
export const protocol: official.WebPubSubClientProtocol = ours.WebPubSubJsonReliableProtocol();
export const options = (given: official.WebPubSubClientOptions): ours.WebPubSubClientOptions => given;
export const credential = (given: official.WebPubSubClientCredential): ours.WebPubSubClientCredential => given;
export const sends = (
  given: [official.SendToGroupOptions, official.SendEventOptions, official.JoinGroupOptions, official.InvokeEventOptions],
): [ours.SendToGroupOptions, ours.SendEventOptions, ours.JoinGroupOptions, ours.InvokeEventOptions] => given;
export const streamOptions = (
  given: [official.OpenGroupStreamOptions, official.OnGroupStreamOptions],
): [ours.OpenGroupStreamOptions, ours.OnGroupStreamOptions] => given;
