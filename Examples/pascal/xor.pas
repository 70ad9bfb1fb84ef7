{ A network learns exclusive or with a custom activation, the absolute value: fpc -k-lbackprop xor.pas }
program Xor_;

{$mode objfpc}{$H+}

uses
  SysUtils, Math, Backprop;

type
  TAbsolute = class(TActivation)
    function Value(z: Single): Single; override;
    function Derivative(z: Single): Single; override;
  end;

  TBroken = class(TAbsolute)
    function Derivative(z: Single): Single; override;
  end;

function TAbsolute.Value(z: Single): Single;
begin
  Result := Abs(z);
end;

function TAbsolute.Derivative(z: Single): Single;
begin
  if z < 0 then Result := -1 else Result := 1;
end;

function TBroken.Derivative(z: Single): Single;
begin
  raise EMathError.Create('no derivative');
end;

const
  Inputs: array[0..7] of Single = (0, 0, 0, 1, 1, 0, 1, 1);
  Targets: array[0..3] of Single = (0, 1, 1, 0);
  Answers: array[Boolean] of String = ('no', 'yes');
var
  Network, Loaded: TNetwork;
  Outputs, Again: TSingles;
  Epoch, i: Integer;
  Same: Boolean;
begin
  DefaultFormatSettings.DecimalSeparator := '.';
  RegisterActivation('absolute', TAbsolute.Create);
  RegisterActivation('broken', TBroken.Create);

  Network := TNetwork.Create([2, 4, 1], 1);
  try
    Network.SetActivation(1, 'absolute');
    for Epoch := 1 to 2000 do Network.Train(Inputs, Targets, 0.5);
    Outputs := Network.Predict(Inputs);
    for i := 0 to 3 do
      WriteLn(Format('%.0f xor %.0f = %.2f', [Inputs[2 * i], Inputs[2 * i + 1], Outputs[i]]));

    Network.SetActivation(1, 'broken');
    try
      Network.Train(Inputs, Targets, 0.5);
    except
      on E: EMathError do WriteLn('a failing callback: ', E.Message); { the network is as before }
    end;
    Network.SetActivation(1, 'absolute');

    try
      Network.Predict([0, 0, 1]);
    except
      on E: EArgumentException do WriteLn('a wrong size: ', E.Message);
    end;
    try
      TNetwork.Load('none.safetensors');
    except
      on E: EBackprop do WriteLn('a missing file: ', E.Message);
    end;

    Network.Save('xor.safetensors');
    Loaded := TNetwork.Load('xor.safetensors');
    try
      Again := Loaded.Predict(Inputs);
      Same := True;
      for i := 0 to 3 do Same := Same and (Again[i] = Outputs[i]);
      WriteLn('saved and loaded, it predicts the same: ', Answers[Same]);
    finally
      Loaded.Free;
    end;
  finally
    Network.Free;
  end;
end.
